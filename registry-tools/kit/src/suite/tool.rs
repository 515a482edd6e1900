//! Which tool of a harness the model calls, and with what. An author may say it in harness.yaml;
//! otherwise it is the first that the harness offers, with arguments that fit its schema.

use domain::chat::Tool;
use serde_json::{Map, Value, json};

use crate::manifest::ToolCall;

/// A text that tools can take for a note, a name and a path alike.
const TEXT: &str = "conformance";
/// Schemas refer to themselves only by `$ref`, which is not followed; this is for hostile ones.
const DEPTH_MAX: usize = 8;

/// The call to make; `None` where nothing is offered.
pub fn choose(given: Option<&ToolCall>, offered: &[Tool]) -> Option<ToolCall> {
    if let Some(given) = given {
        return Some(given.clone());
    }
    let tool = offered.first()?;
    let arguments = match sample(&tool.parameters, 0) {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    };
    Some(ToolCall { name: tool.name.clone(), arguments })
}

/// A small value that a schema takes: of an object what is required.
fn sample(schema: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[key].as_array().and_then(|schemas| schemas.first()) {
            return sample(first, depth + 1);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => json!(TEXT),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("array") => match schema["minItems"].as_u64() {
            Some(1..) => json!([sample(&schema["items"], depth + 1)]),
            _ => json!([]),
        },
        Some("null") => Value::Null,
        _ => {
            let required = schema["required"].as_array().into_iter().flatten();
            let fields = required
                .filter_map(Value::as_str)
                .map(|name| (name.to_owned(), sample(&schema["properties"][name], depth + 1)));
            Value::Object(fields.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(parameters: Value) -> Tool {
        Tool { name: "t".into(), description: String::new(), parameters }
    }

    #[test]
    fn arguments_fit_the_schema() {
        let schema = json!({
            "type": "object",
            "required": ["a", "b", "c", "d", "e", "f"],
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "integer", "minimum": 3},
                "c": {"enum": ["x", "y"]},
                "d": {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
                "e": {"type": ["string", "null"]},
                "f": {"anyOf": [{"type": "object", "required": ["g"], "properties": {"g": {"const": 7}}}]},
                "optional": {"type": "string"},
            },
        });
        let call = choose(None, &[tool(schema)]).unwrap();
        let expected = json!({
            "a": TEXT, "b": 3, "c": "x", "d": [false], "e": TEXT, "f": {"g": 7},
        });
        assert_eq!(Value::Object(call.arguments), expected);
    }

    #[test]
    fn what_the_author_says_goes_first() {
        let given = ToolCall { name: "mine".into(), arguments: Map::new() };
        assert_eq!(choose(Some(&given), &[tool(json!({}))]), Some(given));
        assert_eq!(choose(None, &[]), None);
    }
}
