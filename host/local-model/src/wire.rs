//! The text format of tool calls and reasoning, as models write it.
//!
//! One format for every model: a JSON object between `<tool_call>` and `</tool_call>`, the format
//! that Hermes, Qwen and SmolLM3 were trained on. Their templates write tools that way by
//! themselves. For every other template the tools are described here, in the system text; the
//! grammar sees to it that the answer keeps the format even when the model never saw it.

use domain::chat::{Tool, ToolCall};
use serde_json::{Value as Json, json};

use crate::python_json;

pub(crate) const TOOL_CALL_OPEN: &str = "<tool_call>";
pub(crate) const TOOL_CALL_CLOSE: &str = "</tool_call>";
pub(crate) const THINK_OPEN: &str = "<think>";
pub(crate) const THINK_CLOSE: &str = "</think>";
const TOOL_RESPONSE_OPEN: &str = "<tool_response>";
const TOOL_RESPONSE_CLOSE: &str = "</tool_response>";

/// Markers that are text to us even where a vocabulary calls them control tokens.
pub(crate) const MARKERS: [&str; 6] = [
    TOOL_CALL_OPEN,
    TOOL_CALL_CLOSE,
    THINK_OPEN,
    THINK_CLOSE,
    TOOL_RESPONSE_OPEN,
    TOOL_RESPONSE_CLOSE,
];

/// A tool as templates expect it (the form of chat completions).
pub(crate) fn tool_json(tool: &Tool) -> Json {
    json!({
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    })
}

/// The system text that explains the tools and the format to a model whose template does not.
pub(crate) fn tools_text(tools: &[Tool]) -> serde_json::Result<String> {
    let mut text = String::from(
        "You can call these tools. Each line is one tool with the JSON schema of its arguments:\n",
    );
    for tool in tools {
        text.push_str(&python_json::dumps(&tool_json(tool))?);
        text.push('\n');
    }
    text.push_str("To call a tool, answer with its name and arguments in this form:\n");
    text.push_str(&format!(
        "{TOOL_CALL_OPEN}\n{{\"name\": \"the tool\", \"arguments\": {{}}}}\n{TOOL_CALL_CLOSE}\n"
    ));
    text.push_str(&format!(
        "The result comes back between {TOOL_RESPONSE_OPEN} and {TOOL_RESPONSE_CLOSE}. Call a \
         tool only when it is needed; otherwise answer in plain text."
    ));
    Ok(text)
}

/// The system text that asks for an answer of a schema.
pub(crate) fn schema_text(schema: &Json) -> serde_json::Result<String> {
    Ok(format!("Answer only with JSON that follows this schema:\n{}", python_json::dumps(schema)?))
}

/// The start of a call, up to where the arguments begin.
pub(crate) fn call_head(name: &str) -> String {
    format!("{{\"name\": {}, \"arguments\": ", Json::from(name))
}

/// What closes the object that [`call_head`] opened.
pub(crate) const CALL_TAIL: &str = "}";

/// A call in the history, for templates that know no tools.
pub(crate) fn call_text(call: &ToolCall) -> String {
    let arguments = serde_json::from_str::<Json>(&call.arguments)
        .and_then(|json| python_json::dumps(&json))
        .unwrap_or_else(|_| call.arguments.clone());
    let head = call_head(&call.name);
    format!("{TOOL_CALL_OPEN}\n{head}{arguments}{CALL_TAIL}\n{TOOL_CALL_CLOSE}")
}

/// A tool's result in the history, for templates that know no tools.
pub(crate) fn result_text(text: &str) -> String {
    format!("{TOOL_RESPONSE_OPEN}\n{text}\n{TOOL_RESPONSE_CLOSE}")
}
