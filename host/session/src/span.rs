//! The span of a turn, with the names of OpenTelemetry's conventions for generative AI
//! (docs/observability.md). Nothing that was said in a turn is put into it, and no path.

use domain::TurnId;
use harness::Tally;
use tracing::Span;
use tracing::field::Empty;

use crate::config::SessionConfig;
use crate::error::TurnError;

pub(crate) fn turn(config: &SessionConfig, harness: &str, turn: &TurnId) -> Span {
    tracing::debug_span!(
        "turn",
        otel.name = %format_args!("invoke_agent {}", config.agent),
        otel.status_code = Empty,
        error.r#type = Empty,
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = %config.agent,
        gen_ai.conversation.id = %config.session,
        gen_ai.request.model = %config.model,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        xpressclaw.turn = %turn,
        xpressclaw.harness = harness,
        xpressclaw.cost_nano_dollars = Empty,
    )
}

/// The turn is over.
pub(crate) fn ended(tally: &Tally, error: Option<&TurnError>) {
    let span = Span::current();
    span.record("gen_ai.usage.input_tokens", number(tally.usage.input));
    span.record("gen_ai.usage.output_tokens", number(tally.usage.output));
    span.record("xpressclaw.cost_nano_dollars", number(tally.cost.0));
    if let Some(error) = error {
        span.record("error.type", kind(error));
        span.record("otel.status_code", "ERROR");
    }
}

/// Exporters take signed numbers; what does not fit is as large as it gets.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A failure's kind. Its text stays out: a guest may have written it.
fn kind(error: &TurnError) -> &'static str {
    match error {
        TurnError::Invalid(_) => "invalid_request",
        TurnError::Model(_) => "model_failed",
        TurnError::Budget(_) => "budget_exhausted",
        TurnError::Harness(_) => "harness_failed",
        TurnError::NoImages => "no_images",
        TurnError::TooLarge(_) => "too_large",
        TurnError::Instantiate(_) => "instantiate",
        TurnError::Trap(_) => "trap",
        TurnError::OutOfMemory(_) => "out_of_memory",
        TurnError::Cpu(_) => "cpu_exhausted",
        TurnError::Stuck(_) => "stuck",
        TurnError::Session(_) => "store",
    }
}
