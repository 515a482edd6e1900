//! Driving a granted call: from the provider's stream to its settlement. Every way out settles.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::Event;
use domain::chat::{Delta, Finish, Outcome, Usage};
use domain::provider::{Call, ProviderError};
use futures::{FutureExt, StreamExt};
use harness::Cancellation;
use tokio::task::spawn_blocking;
use tracing::{Instrument as _, Span};

use crate::call::call;
use crate::completion::{Driver, Item};
use crate::count::{Count, How};
use crate::error::LlmError;
use crate::fit::Refit;
use crate::limit::Permit;
use crate::pipeline::Observer;
use crate::reservation::Reservation;
use crate::route::Route;
use crate::span;
use crate::steps::Steps;

/// One granted call.
pub(crate) struct Run {
    pub requested: String,
    pub route: Route,
    pub call: Call,
    /// For a model that the request was not written for: how it is shortened once more.
    pub refit: Option<Refit>,
    pub reservation: Reservation,
    pub permit: Permit,
    pub step: u32,
    pub observer: Arc<dyn Observer>,
}

enum Ended {
    Finished(Finish),
    /// It had all tokens that were reserved and went on.
    Cut,
    Failed(ProviderError),
    /// The reader, the turn or its user gave it up.
    Cancelled,
    Panicked,
}

/// Runs one call to its settlement and tells the reader.
pub(crate) async fn drive(
    driver: Driver,
    mut run: Run,
    cancellation: Cancellation,
    steps: Arc<Steps>,
) {
    let span = Span::current();
    let mut count = Count::new(&run.route);
    run.reservation.sending();
    let answered = stream(&mut run, &driver, &mut count).instrument(tracing::debug_span!("stream"));
    let ended = tokio::select! {
        biased;
        () = driver.abandoned() => Ended::Cancelled,
        () = cancellation.cancelled() => Ended::Cancelled,
        () = steps.over() => Ended::Cancelled,
        ended = AssertUnwindSafe(answered).catch_unwind() => {
            ended.unwrap_or(Ended::Panicked)
        }
    };
    // If it broke, what it held booked the reservation in full, and the reader hears of it by `driver`.
    let Some(used) = used(run, count, &ended).await else { return };
    driver.end(tracing::debug_span!("settle").in_scope(|| settle(used, ended, &span)));
}

/// A call that ended, and what it used as far as that can be told.
struct Used {
    run: Run,
    served: String,
    /// `None`: nothing that can have been billed, or after a panic.
    usage: Option<Usage>,
}

/// Tells what was used. Texts are counted on another thread: a vocabulary is unpacked for a tenth of a
/// second, and a long history is counted for as long. `None` when that panicked or the runtime ended.
async fn used(run: Run, count: Count, ended: &Ended) -> Option<Used> {
    let served = count.served(&run.route);
    let how = match ended {
        Ended::Finished(_) => How::Complete,
        Ended::Cut | Ended::Failed(_) | Ended::Cancelled => How::Broken,
        Ended::Panicked => return Some(Used { run, served, usage: None }),
    };
    let known = count.is_known(how);
    let tell = move || {
        let usage = count.used(&run.call.request, how);
        Used { run, served, usage }
    };
    if known { Some(tell()) } else { spawn_blocking(tell).await.ok() }
}

async fn stream(run: &mut Run, driver: &Driver, count: &mut Count) -> Ended {
    let mut answer = match call(run, count).await {
        Ok(answer) => answer,
        Err(error) => return Ended::Failed(error),
    };
    let most = u64::from(run.call.max_output_tokens);
    // Once it said that it has nothing more, a stream must not be asked again.
    let mut next = answer.first.map(Ok);
    while let Some(delta) = next {
        let delta = match delta {
            Ok(delta) => delta,
            Err(error) => return Ended::Failed(error),
        };
        count.see(&delta);
        match delta {
            Delta::Finished(finish) => return Ended::Finished(finish),
            Delta::Usage(_) | Delta::Model(_) => {}
            delta => driver.push(delta).await,
        }
        // Dropping the stream stops the provider; what it was asked for is used up.
        if count.at_least() > most {
            return Ended::Cut;
        }
        next = answer.rest.next().await;
    }
    Ended::Failed(ProviderError::Malformed {
        provider: run.route.provider.name().into(),
        reason: "the stream ended without an end".into(),
    })
}

/// Books what was used, reports it, and says what the reader gets last.
fn settle(Used { mut run, served, usage }: Used, ended: Ended, span: &Span) -> Item {
    let booked = match (&ended, usage) {
        (Ended::Panicked, _) => run.reservation.settle_in_full(),
        (_, Some(usage)) => run.reservation.settle(usage, &served, &*run.observer),
        (_, None) => run.reservation.release(),
    };
    let (step, usage) = (run.step, usage.unwrap_or_default());
    let cost = booked.as_ref().map_or(run.reservation.amount(), |cost| *cost);
    let finish = match &ended {
        Ended::Finished(finish) => Some(*finish),
        Ended::Cut => Some(Finish::Length),
        Ended::Failed(_) | Ended::Cancelled | Ended::Panicked => None,
    };
    span::settled(span, &served, finish, usage, cost.0);
    run.observer.event(Event::StepFinished { step, model: served.clone(), finish, usage, cost });
    run.permit.used(usage.input.saturating_add(usage.output));
    let last = match (ended, booked) {
        // An answer is only finished when it is booked.
        (Ended::Finished(_) | Ended::Cut, Err(error)) => {
            tracing::error!(%error, "an answer could not be booked");
            Item::Failed(LlmError::Other("the ledger could not book the answer".into()))
        }
        (Ended::Finished(_) | Ended::Cut, Ok(cost)) => Item::Finished(Outcome {
            finish: finish.unwrap_or(Finish::Length),
            downgraded_from: (run.route.info.name != run.requested).then(|| run.requested.clone()),
            model: served,
            usage,
            cost,
        }),
        (Ended::Cancelled, _) => Item::Failed(LlmError::Cancelled),
        (Ended::Failed(error), _) => Item::Failed(error.into()),
        (Ended::Panicked, _) => Item::Failed(LlmError::Other(format!(
            "`{}` broke in the host; its whole reservation was booked",
            run.route.provider.name()
        ))),
    };
    if let Item::Failed(error) = &last {
        span::failed(span, error);
    }
    if let Item::Failed(error) = &last
        && *error != LlmError::Cancelled
    {
        run.observer.event(Event::StepFailed { step, message: error.to_string() });
    }
    last
}
