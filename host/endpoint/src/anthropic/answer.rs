//! A whole answer.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use domain::chat::{Finish, Outcome, Usage};
use domain::provider::ModelInfo;
use serde_json::{Value, json};

use crate::request_id::RequestId;
use crate::whole::Whole;

/// The request's own, in the family's dress.
pub(super) fn id(request: &RequestId) -> String {
    format!("msg_{}", request.unique())
}

pub(crate) fn whole(request: &RequestId, answer: &Whole, outcome: &Outcome) -> Response {
    let thoughts = answer.thoughts.iter().map(|thought| {
        json!({
            "type": "thinking", "thinking": thought.text,
            "signature": thought.signature.as_deref().unwrap_or_default(),
        })
    });
    let text = (!answer.text.is_empty()).then(|| json!({"type": "text", "text": answer.text}));
    let calls = answer.calls.iter().map(|call| {
        json!({
            "type": "tool_use", "id": call.id, "name": call.name, "input": input(&call.arguments),
        })
    });
    Json(json!({
        "id": id(request), "type": "message", "role": "assistant", "model": outcome.model,
        "content": thoughts.chain(text).chain(calls).collect::<Value>(),
        "stop_reason": stop_reason(outcome.finish), "stop_sequence": null,
        "usage": usage(&outcome.usage),
    }))
    .into_response()
}

/// Arguments are an object in this format. What a model wrote instead is handed on as it is, under a
/// name that says so: the client's own check of the schema refuses it, and the model hears why.
fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(arguments) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ => json!({"invalid_json": arguments}),
    }
}

pub(super) fn stop_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal => "refusal",
    }
}

/// The three counts of input are parts of one here, and apart there.
pub(super) fn usage(usage: &Usage) -> Value {
    let read = usage.cached;
    let written = usage.cache_written;
    json!({
        "input_tokens": usage.input.saturating_sub(read).saturating_sub(written),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": usage.output,
    })
}

/// One of `GET /v1/models`, and the answer to `GET /v1/models/NAME`.
pub(crate) fn model(model: ModelInfo) -> Value {
    json!({
        "type": "model", "id": model.name, "display_name": model.name,
        "created_at": "1970-01-01T00:00:00Z",
    })
}

/// The answer to `GET /v1/models`.
pub(crate) fn models(models: impl Iterator<Item = ModelInfo>) -> Value {
    let data: Vec<Value> = models.map(model).collect();
    let id = |model: Option<&Value>| model.map_or(Value::Null, |model| model["id"].clone());
    json!({
        "first_id": id(data.first()), "last_id": id(data.last()), "has_more": false, "data": data,
    })
}
