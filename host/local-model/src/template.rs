//! The model's own chat template, from its file, rendered with minijinja.
//!
//! Why not llama.cpp's `llama_chat_apply_template`: it does not run the template but guesses one
//! of some built-in formats from it, and knows neither tools nor reasoning switches. Templates are
//! Jinja as Hugging Face's `transformers` runs it: blocks trimmed, Python's string methods, a
//! `tojson` without HTML escapes, `raise_exception` and `strftime_now`. Those are provided here.
//!
//! A template is data from a downloaded file: it gets no file system and no environment, and
//! its work is bounded.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::Value as Json;

use crate::python_json;
use crate::wire::{THINK_CLOSE, THINK_OPEN, TOOL_CALL_OPEN};

/// Instructions that a rendering may take: a history of 1,000 messages takes a hundredth of it, and
/// an endless nest of loops stops after a second and some hundred megabytes.
const FUEL: u64 = 10_000_000;
/// Deepest macro recursion; templates that print nested schemas recurse once a level.
const RECURSION_MAX: usize = 64;
/// Spaces a level of indented JSON; templates use 2 or 4.
const INDENT_MAX: usize = 16;
const NAME: &str = "chat";

/// How tools are written into the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolFormat {
    /// The template does it, in the `<tool_call>` format that [`crate::wire`] reads.
    Native,
    /// The template knows no tools, or another format: [`crate::wire`] writes them as text.
    Text,
}

/// What the template is rendered with.
pub(crate) struct Inputs<'a> {
    pub messages: &'a [Json],
    /// Empty unless the format is native.
    pub tools: &'a [Json],
    pub thinking: Thinking,
    pub bos: &'a str,
    pub eos: &'a str,
}

/// Whether the request wants reasoning, for templates with a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    On,
    Off,
}

#[derive(Debug)]
pub(crate) struct Template {
    environment: Environment<'static>,
    pub tools: ToolFormat,
    /// The model writes its reasoning between `<think>` and `</think>`.
    pub thinks: bool,
}

impl Template {
    /// Compiles a template. Errors name the line.
    pub(crate) fn new(source: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_recursion_limit(RECURSION_MAX);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("tojson", tojson);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_template_owned(NAME, source.to_owned())?;
        // Qwen3-Coder and others write calls as XML inside the same marker.
        let native = source.contains("tools")
            && source.contains(TOOL_CALL_OPEN)
            && source.contains("arguments")
            && !source.contains("<function=");
        let tools = if native { ToolFormat::Native } else { ToolFormat::Text };
        let thinks = source.contains(THINK_OPEN) || source.contains(THINK_CLOSE);
        Ok(Self { environment, tools, thinks })
    }

    /// Renders the prompt, ending where the assistant's answer begins.
    pub(crate) fn render(&self, inputs: &Inputs<'_>) -> Result<String, Error> {
        let tools = (!inputs.tools.is_empty()).then_some(inputs.tools);
        let context = minijinja::context! {
            messages => Serde(inputs.messages),
            tools => tools.map(|tools| Value::from(Serde(tools))),
            add_generation_prompt => true,
            enable_thinking => inputs.thinking == Thinking::On,
            bos_token => inputs.bos,
            eos_token => inputs.eos,
        };
        self.environment.get_template(NAME)?.render(context)
    }
}

/// `ensure_ascii`, `sort_keys` and `separators` are accepted and ignored: the templates that pass
/// them ask for what is done anyway.
fn tojson(value: Serde<Json>, indent: Option<usize>, named: Kwargs) -> Result<String, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => named.get("indent")?,
    };
    let text = match indent {
        Some(indent) => python_json::dumps_indented(&value.0, indent.min(INDENT_MAX)),
        None => python_json::dumps(&value.0),
    };
    text.map_err(|source| {
        Error::new(ErrorKind::InvalidOperation, "cannot be written as JSON").with_source(source)
    })
}

fn raise_exception(reason: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, reason))
}

fn strftime_now(format: String) -> Result<String, Error> {
    jiff::fmt::strtime::format(&format, &jiff::Zoned::now()).map_err(|source| {
        Error::new(ErrorKind::InvalidOperation, "strftime_now").with_source(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(source: &str, messages: &[Json], tools: &[Json]) -> Result<String, Error> {
        Template::new(source)?.render(&Inputs {
            messages,
            tools,
            thinking: Thinking::On,
            bos: "<s>",
            eos: "</s>",
        })
    }

    #[test]
    fn templates_run_as_in_transformers() {
        let hi =
            [json!({"role": "user", "content": " hi\n"}), json!({"role": "user", "content": "é"})];
        let tools = [json!({"z": "<b>", "a": [1, 2]})];
        for (source, expected) in [
            // Blocks take their line's white space and line break with them.
            (
                "{% for m in messages %}\n  {% if true %}\n{{ m.content }}\n  {% endif %}\n{% endfor %}",
                " hi\n\né\n",
            ),
            (
                "{{ bos_token }}{{ messages[0]['content'].strip() | upper }}{{ eos_token }}",
                "<s>HI</s>",
            ),
            (
                "{{ 'a</think>b\n'.split('</think>')[-1].rstrip('\n') }}{{ 'ab'.startswith('a') }}",
                "bTrue",
            ),
            ("{{ messages[::-1][0].content }}{{ messages[1:] | length }}", "é1"),
            (
                "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% if ns.n == 1 %}{% continue %}{% endif %}{{ ns.n }}{% endfor %}",
                "2",
            ),
            (
                "{% for k, v in tools[0].items() %}{{ k }}{{ v is string }}{% endfor %}",
                "zTrueaFalse",
            ),
            // Not escaped for HTML, in the schema's order, spaced as Python does.
            ("{{ tools[0] | tojson }}", r#"{"z": "<b>", "a": [1, 2]}"#),
            ("{{ {'a': 1} | tojson(indent=2) }}", "{\n  \"a\": 1\n}"),
            ("{% macro m(a, b=2) %}{{ a + b }}{% endmacro %}{{ m(1) }}", "3"),
            (
                "{% if add_generation_prompt and enable_thinking %}yes{% endif %}{{ nothing }}",
                "yes",
            ),
            ("{{ strftime_now('%Y') | length }}", "4"),
            ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "2"),
        ] {
            assert_eq!(render(source, &hi, &tools).unwrap(), expected, "{source}");
        }
        assert_eq!(render("{{ tools is none }}", &hi, &[]).unwrap(), "True");
    }

    #[test]
    fn a_template_s_refusal_is_its_own_words() {
        let refused = render("{{ raise_exception('system role not supported') }}", &[], &[]);
        assert!(refused.unwrap_err().to_string().contains("system role not supported"));
        assert!(Template::new("{% for %}").is_err());
    }

    #[test]
    fn a_template_cannot_run_for_ever() {
        let nest =
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
        assert_eq!(render(nest, &[], &[]).unwrap_err().kind(), ErrorKind::OutOfFuel);
        let long: Vec<Json> = (0..1_000).map(|_| json!({"role": "user", "content": "x"})).collect();
        let chat = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'].strip() }}{% endfor %}";
        assert_eq!(render(chat, &long, &[]).unwrap().len(), 9_000);
    }

    #[test]
    fn what_a_template_can_do_is_read_from_its_text() {
        let template = |source| Template::new(source).unwrap();
        let native = "{% if tools %}<tool_call>{{ tools[0].arguments }}{% endif %}";
        assert_eq!(template(native).tools, ToolFormat::Native);
        for text in [
            "{{ messages }}",
            "{{ tools }}[TOOL_CALLS]",
            "{{ tools }}<tool_call>arguments<function=x>",
        ] {
            assert_eq!(template(text).tools, ToolFormat::Text, "{text}");
        }
        assert!(template("{{ 'x'.split('</think>') }}").thinks);
        assert!(!template(native).thinks);
    }
}
