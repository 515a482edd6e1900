//! Reserving: the worst case is put aside, or the request is shrunk, waits, or goes elsewhere.

use std::time::Duration;

use domain::{BudgetLine, NanoDollars, OnExceeded, Window};
use store::ledger::{Refusal, ReserveError, ReserveRequest, Reserved};

use crate::error::LlmError;
use crate::pipeline::{Caller, Pipeline};
use crate::price::Quote;
use crate::route::Route;

/// Below this an answer is of no use: the output limit is never clamped further.
const OUTPUT_MIN_TOKENS: u32 = 256;
/// How long a request waits for open reservations to be settled for less before it gives up on
/// its model: an answer of ordinary length is finished by then.
const OPEN_RESERVATIONS_WAIT: Duration = Duration::from_secs(10);
/// Between two looks at the ledger while waiting; other processes settle without telling us.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The same while an agent is paused, which lasts minutes to weeks.
const PAUSED_LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the ledger decided.
pub(crate) enum Verdict {
    /// Money is put aside; the quote's output may be smaller than asked for.
    Granted { reserved: Reserved, quote: Quote },
    /// Use this model instead.
    Degrade { to: String, refusal: Box<Refusal> },
}

/// Puts the worst case of `quote` aside. Cancel-safe: it commits at most once, as its last step.
pub(crate) async fn reserve(
    pipeline: &Pipeline,
    caller: &Caller,
    requested: &str,
    route: &Route,
    quote: Quote,
) -> Result<Verdict, LlmError> {
    let give_up = tokio::time::Instant::now() + OPEN_RESERVATIONS_WAIT;
    loop {
        let refusal = match attempt(pipeline, caller, requested, route, &quote)? {
            Ok(reserved) => return Ok(Verdict::Granted { reserved, quote }),
            Err(refusal) => refusal,
        };
        if refusal.open_reservations && tokio::time::Instant::now() < give_up {
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        }
        if let Some(smaller) = clamp(&quote, &refusal)
            && let Ok(reserved) = attempt(pipeline, caller, requested, route, &smaller)?
        {
            return Ok(Verdict::Granted { reserved, quote: smaller });
        }
        match refusal.cap.on_exceeded {
            OnExceeded::Degrade => {
                return match refusal.cap.fallback.clone().or_else(|| caller.fallback.clone()) {
                    Some(to) if to != route.info.name => Ok(Verdict::Degrade { to, refusal }),
                    _ => Err(exhausted(&refusal, "and there is no other model to fall back to")),
                };
            }
            OnExceeded::Pause => tokio::time::sleep(PAUSED_LOOK_AGAIN).await,
            // A cap that only alerts refuses nothing, so a refusal by one is a stop.
            OnExceeded::Stop | OnExceeded::Alert => return Err(exhausted(&refusal, "")),
        }
    }
}

fn attempt(
    pipeline: &Pipeline,
    caller: &Caller,
    requested: &str,
    route: &Route,
    quote: &Quote,
) -> Result<Result<Reserved, Box<Refusal>>, LlmError> {
    let request = ReserveRequest {
        agent: &caller.agent,
        session: Some(&caller.session),
        turn: caller.turn.as_ref(),
        task: &caller.task,
        requested_model: requested,
        model: &route.info.name,
        price: quote.price,
        amount: quote.worst_case(),
        caps: &caller.caps,
    };
    match pipeline.store().ledger().reserve(&request, pipeline.now_ms()) {
        Ok(reserved) => Ok(Ok(reserved)),
        Err(ReserveError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => {
            tracing::error!(%error, "the ledger refused to answer, so nothing is sent");
            Err(LlmError::Other("the ledger is not available, so nothing was sent".into()))
        }
    }
}

/// A quote with the output that the tightest cap can still pay.
fn clamp(quote: &Quote, refusal: &Refusal) -> Option<Quote> {
    let money = refusal.exceeded.iter().map(|(_, line)| line.available()).min()?;
    let affordable = quote.price.affordable_output(money, quote.input)?;
    let least = OUTPUT_MIN_TOKENS.min(quote.output);
    let output = u32::try_from(affordable).unwrap_or(u32::MAX).min(quote.output);
    (output >= least).then_some(Quote { output, ..*quote })
}

fn exhausted(refusal: &Refusal, more: &str) -> LlmError {
    let line = &refusal.line;
    let mut message = format!("the budget is spent: {}", describe(line, refusal.amount));
    if !more.is_empty() {
        message.push_str(", ");
        message.push_str(more);
    }
    LlmError::BudgetExhausted { scope: line.scope, resets_at: line.resets_at, message }
}

/// One sentence on a cap that a request does not fit.
pub(crate) fn describe(line: &BudgetLine, amount: NanoDollars) -> String {
    let window = match line.window {
        Window::Task => "per task".to_owned(),
        window => window.to_string(),
    };
    format!(
        "{} of {} ({} {window}) are left and the request may cost {amount}",
        line.available(),
        line.cap,
        line.scope
    )
}
