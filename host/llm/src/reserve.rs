//! Reserving: the worst case is put aside, or the request is shrunk, waits, or goes elsewhere.

use std::time::Duration;

use domain::{BudgetLine, NanoDollars, OnExceeded, Window};
use store::Store;
use store::ledger::{Cap, Refusal, ReserveError, ReserveRequest, Reserved, Source};
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::error::LlmError;
use crate::limit::Permit;
use crate::pipeline::{Caller, Observer};
use crate::price::Quote;
use crate::reservation::Reservation;
use crate::route::Route;
use crate::warn::paused;

/// Below this an answer is of no use: the output limit is never clamped further.
pub(crate) const OUTPUT_MIN_TOKENS: u32 = 256;
/// How long a request waits for open reservations to be settled for less before it gives up on
/// its model: an answer of ordinary length is finished by then.
const OPEN_RESERVATIONS_WAIT: Duration = Duration::from_secs(10);
/// Between two looks at the ledger while waiting; other processes settle without telling us.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The same while an agent is paused, which lasts minutes to weeks.
const PAUSED_LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why the cap of a run does not pause it: it counts this run alone and for ever, and no command
/// takes its place.
const ENDLESS_PAUSE: &str =
    "and a pause would never end: nothing resets or raises the cap that a run was given";

/// Who wants to reserve, and for what.
pub(crate) struct Ask<'a> {
    pub store: &'a Store,
    pub caller: &'a Caller,
    /// The model that was asked for.
    pub requested: &'a str,
    /// The model that is asked now.
    pub route: &'a Route,
    /// All that were asked, `route` included: a fallback to one of them is a circle.
    pub tried: &'a [String],
    pub observer: &'a dyn Observer,
    pub clock: &'a Clock,
}

/// What the ledger decided.
pub(crate) enum Verdict {
    Granted(Granted),
    /// Use this model instead.
    Degrade {
        to: String,
        refusal: Box<Refusal>,
    },
}

/// Money is put aside.
pub(crate) struct Granted {
    pub reservation: Reservation,
    pub lines: Vec<(Cap, BudgetLine)>,
    /// Tokens; may be less than asked for.
    pub output: u32,
}

/// Puts the worst case of `quote` aside. Cancel-safe: it commits at most once, as its last step.
/// A pause takes `permit`, so that who waits for money is in nobody's way.
pub(crate) async fn reserve(
    ask: &Ask<'_>,
    quote: Quote,
    permit: &mut Option<Permit>,
) -> Result<Verdict, LlmError> {
    let give_up = Instant::now() + OPEN_RESERVATIONS_WAIT;
    let mut told = false;
    let mut attempted = quote;
    loop {
        let refusal = match attempt(ask, &attempted)? {
            Ok(granted) => return Ok(Verdict::Granted(granted)),
            Err(refusal) => refusal,
        };
        if may_be_freed(&quote, &refusal) && Instant::now() < give_up {
            attempted = quote;
            sleep(LOOK_AGAIN).await;
            continue;
        }
        // Others reserve meanwhile, so a smaller request may be refused again, and shrinks again.
        if let Some(smaller) = shrink(&quote, least(&refusal, BudgetLine::available))
            && smaller.output < attempted.output
        {
            attempted = smaller;
            continue;
        }
        match refusal.cap.on_exceeded {
            OnExceeded::Degrade => {
                let named = refusal.cap.fallback.clone();
                return match named.or_else(|| ask.caller.fallback.clone()) {
                    Some(to) if !ask.tried.contains(&to) => Ok(Verdict::Degrade { to, refusal }),
                    _ => Err(exhausted(&refusal, "and there is no other model to fall back to")),
                };
            }
            OnExceeded::Pause if refusal.cap.source == Source::Run => {
                return Err(exhausted(&refusal, ENDLESS_PAUSE));
            }
            OnExceeded::Pause => {
                drop(permit.take());
                if !std::mem::replace(&mut told, true) {
                    paused(&refusal.line, ask.observer);
                }
                attempted = quote;
                sleep(PAUSED_LOOK_AGAIN).await;
            }
            // A cap that only alerts refuses nothing, so a refusal by one is a stop.
            OnExceeded::Stop | OnExceeded::Alert => return Err(exhausted(&refusal, "")),
        }
    }
}

fn attempt(ask: &Ask<'_>, quote: &Quote) -> Result<Result<Granted, Box<Refusal>>, LlmError> {
    let Ask { store, caller, requested, route, .. } = *ask;
    let model = &route.info.name;
    let request = ReserveRequest {
        agent: &caller.agent,
        session: Some(&caller.session),
        turn: caller.turn.as_ref(),
        task: &caller.task,
        requested_model: requested,
        model,
        price: quote.price,
        amount: quote.worst_case(),
        caps: &caller.caps,
    };
    match store.ledger().reserve(&request, (ask.clock)()) {
        Ok(reserved) => {
            let reservation = Reservation::new(store, ask.clock, &reserved, quote, &route.info);
            let Reserved { lines, .. } = reserved;
            Ok(Ok(Granted { reservation, lines, output: quote.output }))
        }
        Err(ReserveError::Refused(refusal)) => Ok(Err(refusal)),
        Err(ReserveError::Invalid(invalid)) => Err(LlmError::InvalidRequest(invalid.to_string())),
        Err(ReserveError::Database(error)) => {
            tracing::error!(%error, "the ledger refused to answer, so nothing is sent");
            Err(LlmError::Other("the ledger is not available, so nothing was sent".into()))
        }
    }
}

/// Whether the quote, shrunk or not, would fit if open reservations were settled for nothing.
fn may_be_freed(quote: &Quote, refusal: &Refusal) -> bool {
    let unspent = |line: &BudgetLine| NanoDollars(line.cap.0.saturating_sub(line.settled.0));
    refusal.open_reservations && shrink(quote, least(refusal, unspent)).is_some()
}

/// The least of what the caps have that the request does not fit; the others have enough.
fn least(refusal: &Refusal, of: impl Fn(&BudgetLine) -> NanoDollars) -> NanoDollars {
    refusal.exceeded.iter().map(|(_, line)| of(line)).min().unwrap_or_default()
}

/// The quote with the output that `money` can pay; `None` when that is too little to be of use.
fn shrink(quote: &Quote, money: NanoDollars) -> Option<Quote> {
    if quote.worst_case() <= money {
        return Some(*quote);
    }
    let affordable = quote.price.affordable_output(money, quote.input)?;
    let output = u32::try_from(affordable).unwrap_or(u32::MAX).min(quote.output);
    (output >= OUTPUT_MIN_TOKENS.min(quote.output)).then_some(Quote { output, ..*quote })
}

/// The error for a cap that a request does not fit; `more` goes on after a comma.
pub(crate) fn exhausted(refusal: &Refusal, more: &str) -> LlmError {
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
