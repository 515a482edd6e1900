//! A whole answer.

use domain::chat::{Finish, Outcome, Usage};
use domain::provider::ModelInfo;
use serde_json::{Value, json};

use crate::server::now_seconds;
use crate::whole::Whole;

pub(crate) fn id() -> String {
    format!("chatcmpl-{}", uuid::Uuid::now_v7().simple())
}

pub(crate) fn whole(answer: &Whole, outcome: &Outcome) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    if !answer.text.is_empty() || answer.calls.is_empty() {
        message["content"] = json!(answer.text);
    }
    let thoughts: String = answer.thoughts.iter().map(|t| t.text.as_str()).collect();
    if !thoughts.is_empty() {
        message["reasoning_content"] = json!(thoughts);
    }
    if !answer.calls.is_empty() {
        let calls = answer.calls.iter().map(|call| {
            let mut wire = json!({
                "id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            });
            if let Some(signature) = &call.signature {
                wire["extra_content"] = json!({"google": {"thought_signature": signature}});
            }
            wire
        });
        message["tool_calls"] = calls.collect();
    }
    json!({
        "id": id(), "object": "chat.completion", "created": now_seconds(), "model": outcome.model,
        "choices": [{
            "index": 0, "message": message, "logprobs": null,
            "finish_reason": finish_reason(outcome.finish),
        }],
        "usage": usage(&outcome.usage),
    })
}

pub(super) fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Refusal => "content_filter",
    }
}

pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input.saturating_add(usage.output),
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    })
}

/// One of `GET /v1/models`, and the answer to `GET /v1/models/NAME`.
pub(crate) fn model(model: ModelInfo) -> Value {
    json!({
        "id": model.name, "object": "model", "created": 0, "owned_by": "xpressclaw",
        "context_window": model.context_window, "max_output_tokens": model.max_output_tokens,
    })
}

/// The answer to `GET /v1/models`.
pub(crate) fn models(models: impl Iterator<Item = ModelInfo>) -> Value {
    json!({"object": "list", "data": models.map(model).collect::<Value>()})
}
