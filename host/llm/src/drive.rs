//! Driving a granted call: from the provider's stream to its settlement. Every way out settles.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::Event;
use domain::chat::{Delta, Finish, Outcome};
use domain::provider::{Call, ProviderError};
use futures::{FutureExt, StreamExt};
use harness::Cancellation;
use tracing::{Instrument as _, Span};

use crate::call::call;
use crate::completion::{Driver, Item};
use crate::count::Count;
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
    let last = tracing::debug_span!("settle").in_scope(|| settle(&mut run, &count, ended, &span));
    driver.end(last);
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
fn settle(run: &mut Run, count: &Count, ended: Ended, span: &Span) -> Item {
    let request = &run.call.request;
    let served = count.served(&run.route);
    let usage = match &ended {
        Ended::Finished(_) => Some(count.complete(request)),
        Ended::Cut | Ended::Failed(_) | Ended::Cancelled => count.broken(request),
        Ended::Panicked => None,
    };
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
