//! The span of a step: one model call from its admission to its settlement, with the names of
//! OpenTelemetry's conventions for generative AI (docs/observability.md). No text of a request or
//! of an answer is ever put into it.

use domain::chat::{Finish, Request, Usage};
use tracing::Span;
use tracing::field::{Empty, display};

use crate::error::LlmError;
use crate::pipeline::Caller;
use crate::route::Route;

pub(crate) fn step(caller: &Caller, request: &Request, model: &str) -> Span {
    tracing::debug_span!(
        "step",
        otel.name = %format_args!("chat {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        error.r#type = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = Empty,
        gen_ai.agent.name = %caller.agent,
        gen_ai.conversation.id = %caller.session,
        gen_ai.request.model = model,
        gen_ai.request.max_tokens = request.max_output_tokens.map(i64::from),
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.cache_creation.input_tokens = Empty,
        gen_ai.usage.reasoning.output_tokens = Empty,
        xpressclaw.step = Empty,
        xpressclaw.reserved_nano_dollars = Empty,
        xpressclaw.cost_nano_dollars = Empty,
    )
}

/// The step got its money and goes to a provider.
pub(crate) fn granted(span: &Span, step: u32, route: &Route, reserved: u64) {
    span.record("gen_ai.provider.name", route.provider.name());
    span.record("xpressclaw.step", i64::from(step));
    span.record("xpressclaw.reserved_nano_dollars", number(reserved));
}

/// The step was booked.
pub(crate) fn settled(span: &Span, served: &str, finish: Option<Finish>, usage: Usage, cost: u64) {
    span.record("gen_ai.response.model", served);
    if let Some(finish) = finish {
        span.record("gen_ai.response.finish_reasons", reason(finish));
    }
    span.record("gen_ai.usage.input_tokens", number(usage.input));
    span.record("gen_ai.usage.output_tokens", number(usage.output));
    span.record("gen_ai.usage.cache_read.input_tokens", number(usage.cached));
    span.record("gen_ai.usage.cache_creation.input_tokens", number(usage.cache_written));
    span.record("gen_ai.usage.reasoning.output_tokens", number(usage.reasoning));
    span.record("xpressclaw.cost_nano_dollars", number(cost));
}

/// The step failed; its message stays out, because providers quote requests.
pub(crate) fn failed(span: &Span, error: &LlmError) {
    span.record("error.type", display(kind(error)));
    span.record("otel.status_code", "ERROR");
}

/// Exporters take signed numbers; what does not fit is as large as it gets.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Refusal => "content_filter",
    }
}

/// A failure's kind: an HTTP status where there was one, else a word.
fn kind(error: &LlmError) -> String {
    match error {
        LlmError::ProviderFailed { status: Some(status), .. } => status.to_string(),
        LlmError::ProviderFailed { status: None, .. } => "provider_failed".into(),
        LlmError::BudgetExhausted { .. } => "budget_exhausted".into(),
        LlmError::RateLimited { .. } => "429".into(),
        LlmError::UnknownModel { .. } => "unknown_model".into(),
        LlmError::UnknownPrice { .. } => "unknown_price".into(),
        LlmError::ContextExceeded { .. } => "context_exceeded".into(),
        LlmError::InvalidRequest(_) => "invalid_request".into(),
        LlmError::Cancelled => "cancelled".into(),
        LlmError::Other(_) => "_OTHER".into(),
    }
}
