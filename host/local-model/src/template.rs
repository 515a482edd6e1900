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

/// Instructions that a rendering may take: a history of 10,000 messages through the longest known
/// template (400 lines) takes a tenth of it; an endless nest of loops stops after a second.
const FUEL: u64 = 50_000_000;
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
