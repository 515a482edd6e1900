//! A whole answer.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use domain::chat::Outcome;
use domain::provider::ModelInfo;
use serde_json::{Value, json};

use super::wire::{Answer, Call, Choice, Extra, Function, Message, finish_reason};
use crate::request_id::RequestId;
use crate::server::now_seconds;
use crate::whole::Whole;

/// The request's own, in the family's dress: one name for an answer, its headers and its bill.
pub(super) fn id(request: &RequestId) -> String {
    format!("chatcmpl-{}", request.unique())
}

pub(crate) fn whole(request: &RequestId, answer: &Whole, outcome: &Outcome) -> Response {
    let calls = answer.calls.iter().map(|call| Call {
        index: None,
        id: Some(&call.id),
        kind: Some("function"),
        function: Some(Function { name: Some(&call.name), arguments: &call.arguments }),
        extra_content: call.signature.as_deref().map(Extra::signature),
    });
    let said = !answer.text.is_empty() || answer.calls.is_empty();
    let message = Message {
        role: "assistant",
        content: said.then_some(answer.text.as_str()),
        refusal: (),
        reasoning_content: answer.thoughts.iter().map(|t| t.text.as_str()).collect(),
        tool_calls: calls.collect(),
    };
    let finish_reason = finish_reason(outcome.finish);
    Json(Answer {
        id: &id(request),
        object: "chat.completion",
        created: now_seconds(),
        model: &outcome.model,
        choices: [Choice { index: 0, message, logprobs: (), finish_reason }],
        usage: (&outcome.usage).into(),
    })
    .into_response()
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
