//! Grammars that hold the model's output to a JSON schema, by llguidance.
//!
//! Why llguidance and not llama.cpp's GBNF: it takes JSON Schema as it is (nested definitions,
//! enums, patterns, bounds), computes a mask over the vocabulary in well under a millisecond where
//! GBNF tests every token, bounds its own work, and is plain Rust: a schema that it cannot take is
//! an error, where llama.cpp's converter needs its C++ "common" library and may throw.
//!
//! Spacing is fixed as Python writes JSON. Free white space lets a small model write blanks for
//! ever, and the fixed form is what models were trained on.

use domain::chat::Tool;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value as Json, json};
use std::sync::Arc;

use crate::error::LoadError;
use crate::python_json::{ITEM_SEPARATOR, KEY_SEPARATOR};
use crate::wire::{CALL_TAIL, call_head};

/// llguidance's mark before the text of a token that no grammar may match as text.
const CONTROL_MARK: u8 = 0xff;

/// Why a schema cannot become a grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SchemaError(String);

/// Compiles grammars for one vocabulary.
pub(crate) struct Grammars {
    factory: ParserFactory,
}

impl Grammars {
    /// Walks the whole vocabulary once.
    pub(crate) fn new(model: &LlamaModel) -> Result<Self, LoadError> {
        Self::from_vocabulary(&vocabulary(model)).map_err(LoadError::Vocabulary)
    }

    fn from_vocabulary(vocabulary: &TokEnv) -> Result<Self, String> {
        let mut factory = ParserFactory::new_simple(vocabulary).map_err(|e| e.to_string())?;
        factory.quiet();
        // Otherwise an error text holds the whole grammar.
        factory.limits_mut().verbose_errors = false;
        Ok(Self { factory })
    }

    /// JSON of a schema, and nothing else.
    pub(crate) fn schema(&self, schema: &Json) -> Result<Box<Matcher>, SchemaError> {
        self.compile(TopLevelGrammar::from_json_schema(with_options(schema.clone())))
    }

    /// One call of one of the tools, without its markers. A tool whose schema cannot be compiled
    /// takes any JSON object instead: the harness checks arguments anyway.
    pub(crate) fn call(&self, tools: &[Tool]) -> Result<Box<Matcher>, SchemaError> {
        let schemas: Vec<Json> = tools.iter().map(|tool| self.arguments_schema(tool)).collect();
        self.compile(TopLevelGrammar::from_lark(call_grammar(tools, &schemas)))
    }

    fn arguments_schema(&self, tool: &Tool) -> Json {
        let schema = with_options(closed(&tool.parameters));
        match self.compile(TopLevelGrammar::from_json_schema(schema.clone())) {
            Ok(_) => schema,
            Err(error) => {
                tracing::warn!(tool = tool.name, %error, "schema not enforced, any object is allowed");
                with_options(json!({"type": "object"}))
            }
        }
    }

    fn compile(&self, grammar: TopLevelGrammar) -> Result<Box<Matcher>, SchemaError> {
        let parser = self.factory.create_parser(grammar);
        parser
            .map(|parser| Box::new(Matcher::new(Ok(parser))))
            .map_err(|e| SchemaError(format!("{e:#}")))
    }
}

/// Feeds a text to a grammar; false when it does not fit, and then the matcher is spoilt.
pub(crate) fn consume_text(matcher: &mut Matcher, text: &str) -> bool {
    let Ok(vocabulary) = matcher.tok_env() else { return false };
    // Any tokens that spell it will do.
    let tokens = vocabulary.tok_trie().greedy_tokenize(text.as_bytes());
    matcher.try_consume_tokens(&tokens).is_ok_and(|n| n == tokens.len())
}

/// A tool's parameters as an object. Properties that the schema does not name are left out, which
/// JSON Schema allows a writer to do, because a small model invents them without end.
fn closed(parameters: &Json) -> Json {
    match parameters {
        Json::Object(fields) => {
            let mut fields = fields.clone();
            if fields.get("type").is_none() && !fields.contains_key("$ref") {
                fields.insert("type".to_owned(), "object".into());
            }
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            if fields["type"] == "object" && !fields.contains_key("properties") && fields.len() == 1
            {
                // A tool without parameters: `{"type": "object"}`.
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            Json::Object(fields)
        }
        _ => json!({"type": "object"}),
    }
}

/// Adds llguidance's own options. Keywords that it does not know are not enforced, but they do
/// not make the schema unusable either.
fn with_options(schema: Json) -> Json {
    let mut fields = match schema {
        Json::Object(fields) => fields,
        Json::Bool(false) => return Json::Bool(false),
        _ => serde_json::Map::new(),
    };
    fields.insert(
        "x-guidance".to_owned(),
        json!({
            "whitespace_flexible": false,
            "item_separator": ITEM_SEPARATOR,
            "key_separator": KEY_SEPARATOR,
            "lenient": true,
        }),
    );
    Json::Object(fields)
}

/// A Lark grammar: one alternative for each tool.
fn call_grammar(tools: &[Tool], schemas: &[Json]) -> String {
    let mut rules = String::from("start: ");
    for i in 0..tools.len() {
        rules.push_str(if i == 0 { "" } else { " | " });
        rules.push_str(&format!("call{i}"));
    }
    rules.push('\n');
    for (i, (tool, schema)) in tools.iter().zip(schemas).enumerate() {
        // Lark strings are JSON strings.
        let head = Json::from(call_head(&tool.name));
        let tail = Json::from(CALL_TAIL);
        rules.push_str(&format!(
            "call{i}: {head} arguments{i} {tail}\narguments{i}: %json {schema}\n"
        ));
    }
    rules
}

/// The vocabulary as llguidance takes it: every token's bytes, control tokens marked.
fn vocabulary(model: &LlamaModel) -> TokEnv {
    let vocab = model.vocab();
    let mut words = Vec::new();
    let mut ends = Vec::new();
    for token in vocab.tokens() {
        let id = id_of(token);
        if vocab.is_eog(token) {
            ends.push(id);
        }
        let mut bytes = vocab.token_to_piece(token, false, None);
        if bytes.is_empty() {
            let text = vocab.token_to_piece(token, true, None);
            if !text.is_empty() {
                bytes.push(CONTROL_MARK);
                bytes.extend(text);
            }
        }
        words.push(bytes);
    }
    let info = TokRxInfo::new(u32::try_from(words.len()).unwrap_or(u32::MAX), id_of(vocab.eos()));
    if ends.is_empty() {
        ends.push(info.tok_eos);
    }
    let trie = TokTrie::from(&info, &words).with_eos_tokens(&ends);
    Arc::new(ApproximateTokEnv::new(trie))
}

/// llama.cpp counts tokens with a sign (negative: none), llguidance without.
pub(crate) fn id_of(token: LlamaToken) -> u32 {
    u32::try_from(token.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vocabulary of the 256 bytes and an end.
    fn grammars() -> Grammars {
        Grammars::from_vocabulary(&ApproximateTokEnv::single_byte_env()).unwrap()
    }

    fn accepts(matcher: &Matcher, text: &str) -> bool {
        let mut matcher = matcher.deep_clone();
        consume_text(&mut matcher, text)
            && (matcher.is_stopped() || matcher.is_accepting().unwrap())
    }

    fn tool(name: &str, parameters: Json) -> Tool {
        Tool { name: name.to_owned(), description: String::new(), parameters }
    }

    #[test]
    fn calls_follow_their_own_tool_s_schema() {
        let grammars = grammars();
        let tools = [
            tool(
                "weather",
                json!({"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}}, "required": ["city"]}),
            ),
            tool("now", json!({"type": "object"})),
            tool(
                "draw",
                json!({"type": "object", "properties": {"at": {"$ref": "#/$defs/p"}}, "required": ["at"], "$defs": {"p": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}}}),
            ),
            tool("odd \"name\"", json!({"properties": {}})),
        ];
        let matcher = grammars.call(&tools).unwrap();
        for good in [
            r#"{"name": "weather", "arguments": {"city": "Zürich"}}"#,
            r#"{"name": "weather", "arguments": {"city": "x", "unit": "f"}}"#,
            r#"{"name": "now", "arguments": {}}"#,
            r#"{"name": "draw", "arguments": {"at": [1, -2]}}"#,
            r#"{"name": "odd \"name\"", "arguments": {}}"#,
        ] {
            assert!(accepts(&matcher, good), "{good}");
        }
        for bad in [
            r#"{"name": "wether", "arguments": {}}"#,
            r#"{"name": "weather", "arguments": {}}"#,
            r#"{"name": "weather", "arguments": {"city": 1}}"#,
            r#"{"name": "weather", "arguments": {"city": "x", "more": 1}}"#,
            r#"{"name": "weather", "arguments": {"city": "x", "unit": "k"}}"#,
            r#"{"name": "draw", "arguments": {"at": [1]}}"#,
            r#"{"name": "now", "arguments": {"a": 1}}"#,
            r#"{"name": "now",  "arguments": {}}"#,
            "hello",
        ] {
            assert!(!accepts(&matcher, bad), "{bad}");
        }
    }

    #[test]
    fn a_tool_with_an_impossible_schema_takes_any_object() {
        let grammars = grammars();
        let tools = [
            tool("broken", json!({"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}})),
            tool(
                "fine",
                json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}),
            ),
        ];
        let matcher = grammars.call(&tools).unwrap();
        assert!(accepts(&matcher, r#"{"name": "broken", "arguments": {"x": [1]}}"#));
        assert!(!accepts(&matcher, r#"{"name": "broken", "arguments": 1}"#));
        assert!(!accepts(&matcher, r#"{"name": "fine", "arguments": {}}"#));
    }

    #[test]
    fn a_schema_that_cannot_be_promised_is_an_error() {
        let grammars = grammars();
        let good = grammars.schema(&json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]})).unwrap();
        assert!(accepts(&good, r#"{"n": 4}"#));
        assert!(!accepts(&good, r#"{"n": 2}"#));
        assert!(grammars.schema(&json!({"$ref": "#/nowhere"})).is_err());
        assert!(grammars.schema(&json!(false)).is_err());
    }
}
