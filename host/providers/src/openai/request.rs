//! The request body: what the host decides first, then what the caller adds.

use domain::chat::{EXTRA_FIELDS, Effort, ToolChoice};
use domain::provider::{Call, ProviderError};
use serde_json::{Map, Value, json};

use super::config::{CallSignatures, OutputLimit, ThinkingField, UsageRequest};
use super::content;
use crate::endpoint::{ModelFacts, check_extra};

/// The endpoint's habits, resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub output_limit: OutputLimit,
    pub thinking: ThinkingField,
    pub call_signatures: CallSignatures,
    pub usage: UsageRequest,
}

pub(super) fn body(
    call: &Call,
    facts: &ModelFacts,
    format: &Format,
) -> Result<Value, ProviderError> {
    let request = &call.request;
    check_extra(request, &EXTRA_FIELDS)?;
    let messages = content::messages(request.system.as_deref(), &request.messages, format);
    let mut body = Map::new();
    let mut set = |field: &str, value: Value| {
        body.insert(field.to_owned(), value);
    };
    set("model", json!(call.model));
    set("messages", json!(messages));
    set("stream", json!(true));
    if format.usage == UsageRequest::StreamOptions {
        set("stream_options", json!({"include_usage": true}));
    }
    let limit = match format.output_limit {
        OutputLimit::MaxTokens => "max_tokens",
        OutputLimit::MaxCompletionTokens => "max_completion_tokens",
    };
    set(limit, json!(call.max_output_tokens));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            })
        });
        set("tools", tools.collect());
        // `auto` is every server's default, and some refuse the field.
        match &request.tool_choice {
            ToolChoice::Auto => {}
            ToolChoice::None => set("tool_choice", json!("none")),
            ToolChoice::Required => set("tool_choice", json!("required")),
            ToolChoice::Named(name) => {
                set("tool_choice", json!({"type": "function", "function": {"name": name}}));
            }
        }
    }
    if let Some(schema) = &request.output_schema {
        let format = json!({
            "name": "answer",
            "schema": schema,
            "strict": is_strict(schema),
        });
        set("response_format", json!({"type": "json_schema", "json_schema": format}));
    }
    if let Some(effort) = request.effort.and_then(|wanted| facts.served(wanted)) {
        set("reasoning_effort", json!(effort_name(effort)));
    }
    if let Some(temperature) = request.temperature {
        set("temperature", json!(temperature));
    }
    if !request.stop.is_empty() {
        set("stop", json!(request.stop));
    }
    body.extend(request.extra.clone());
    Ok(Value::Object(body))
}

fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Xhigh => "xhigh",
        Effort::Max => "max",
    }
}

/// Whether a schema keeps the rules of OpenAI's strict mode, the only one that guarantees the
/// answer's form: every object is closed and requires all its properties. Other schemas are
/// refused in strict mode, so they go without.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().all(is_strict),
        Value::Object(object) => {
            let is_object =
                object.contains_key("properties") || object.get("type").is_some_and(names_object);
            (!is_object || is_closed(object)) && object.values().all(is_strict)
        }
        _ => true,
    }
}

fn names_object(kind: &Value) -> bool {
    kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "object"))
}

fn is_closed(object: &Map<String, Value>) -> bool {
    let required = object.get("required").and_then(Value::as_array);
    let is_required =
        |name: &String| required.is_some_and(|names| names.iter().any(|n| n == name.as_str()));
    object.get("additionalProperties") == Some(&Value::Bool(false))
        && object
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|properties| properties.keys().all(is_required))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
