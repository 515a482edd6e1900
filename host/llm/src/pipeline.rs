//! The pipeline itself: the stages in order, and the task that drives a stream to its settlement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::chat::{Delta, Finish, Outcome, Request};
use domain::provider::{Call, Deltas, ModelInfo, ProviderError};
use domain::{AgentName, Event, SessionId, TurnId};
use futures::StreamExt;
use store::Store;
use store::ledger::{Cap, Reserved};
use tokio_util::task::TaskTracker;

use crate::admit::admit;
use crate::call::call;
use crate::completion::{Completion, Driver, Item, pair};
use crate::error::LlmError;
use crate::price::{Quote, quote};
use crate::reserve::{Verdict, describe, reserve};
use crate::route::{Route, Router};
use crate::settle::{Count, settle, warn};

/// Fallbacks of fallbacks: a chain longer than this is a circle in the configuration.
const DEGRADES_MAX: usize = 4;

/// Who asks. Made by the host from what it knows, never from what a guest says.
#[derive(Debug, Clone)]
pub struct Caller {
    pub agent: AgentName,
    pub session: SessionId,
    pub turn: Option<TurnId>,
    /// The key that per-task caps count by.
    pub task: String,
    /// The agent's own model.
    pub model: String,
    /// Further models that the agent may ask for.
    pub models: Vec<String>,
    pub caps: Vec<Cap>,
    /// Where a spent budget degrades to when its cap names nothing.
    pub fallback: Option<String>,
}

/// Sees what the pipeline does. Calls must not block.
pub trait Observer: Send + Sync {
    fn event(&self, event: Event);
}

/// One per process; every door shares it. Cloning shares it.
#[derive(Clone)]
pub struct Pipeline(Arc<Inner>);

struct Inner {
    router: Router,
    store: Store,
    drivers: TaskTracker,
}

impl Pipeline {
    pub fn new(router: Router, store: Store) -> Self {
        Self(Arc::new(Inner { router, store, drivers: TaskTracker::new() }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Milliseconds since the Unix epoch, for the ledger.
    pub(crate) fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Facts about a model, for guests and for checks before a turn.
    pub fn model(&self, name: &str) -> Result<ModelInfo, LlmError> {
        Ok(self.0.router.route(name)?.info)
    }

    /// Whether a request to the model can be made at all: a paid one without a price is refused
    /// each time, so nothing need begin with it.
    pub fn check(&self, name: &str) -> Result<(), LlmError> {
        quote(&Request::default(), &self.0.router.route(name)?).map(|_| ())
    }

    /// Resolves when every call under way is settled. Call it before the process ends.
    pub async fn drain(&self) {
        self.0.drivers.close();
        self.0.drivers.wait().await;
        self.0.drivers.reopen();
    }

    /// Admits, prices and reserves, then starts the call. Everything that can be refused before
    /// money is spent is refused here; later failures are the completion's last item. Dropping
    /// the future before it resolves leaves nothing reserved.
    ///
    /// `steps` counts the caller's model calls, from 1.
    pub async fn complete(
        &self,
        caller: &Caller,
        request: Request,
        steps: &AtomicU32,
        observer: Arc<dyn Observer>,
    ) -> Result<Completion, LlmError> {
        admit(&request)?;
        let requested = request.model.clone().unwrap_or_else(|| caller.model.clone());
        if requested != caller.model && !caller.models.contains(&requested) {
            return Err(LlmError::UnknownModel {
                model: requested,
                hint: "this agent may not ask for it; add it to the agent's `models:`".into(),
            });
        }
        let mut target = requested.clone();
        for _ in 0..DEGRADES_MAX {
            let route = self.0.router.route(&target)?;
            let quote = quote(&request, &route)?;
            match reserve(self, caller, &requested, &route, quote).await? {
                Verdict::Granted { reserved, quote } => {
                    let step = steps.fetch_add(1, Ordering::Relaxed) + 1;
                    let run = Run { requested, route, quote, reserved, step, observer };
                    return Ok(self.start(caller, request, run));
                }
                Verdict::Degrade { to, refusal } => {
                    observer.event(Event::Downgrade {
                        from: target,
                        to: to.clone(),
                        reason: describe(&refusal.line, refusal.amount),
                    });
                    target = to;
                }
            }
        }
        Err(LlmError::Other(format!("the fallbacks of `{requested}` lead in a circle")))
    }

    fn start(&self, caller: &Caller, request: Request, run: Run) -> Completion {
        warn(&run.reserved.lines, &*run.observer);
        run.observer.event(Event::StepStarted {
            step: run.step,
            model: run.route.info.name.clone(),
            reserved: run.reserved.amount,
        });
        let (driver, completion) = pair();
        let session = caller.session.clone();
        let pipeline = self.clone();
        self.0.drivers.spawn(async move { pipeline.drive(session, request, run, driver).await });
        completion
    }

    /// Runs one call to its settlement. Nothing may return early: every way out settles.
    async fn drive(&self, session: SessionId, request: Request, run: Run, driver: Driver) {
        let provider_call = Call {
            model: run.route.model.clone(),
            max_output_tokens: run.quote.output,
            session,
            request,
        };
        let mut count = Count::default();
        let ended = tokio::select! {
            () = driver.abandoned() => Ended::Abandoned,
            ended = stream(&run, &provider_call, &driver, &mut count) => ended,
        };
        let reached = !matches!(&ended, Ended::Failed { begun: false, .. });
        let usage = match (&ended, reached) {
            // Refused before it answered: providers do not bill that.
            (_, false) => domain::chat::Usage::default(),
            _ => count.usage(&provider_call.request, &run.route),
        };
        let served = count.served(&run.route).to_owned();
        let cost = if reached {
            settle(self, run.reserved.id, &run.quote, usage, &served, &*run.observer)
        } else {
            self.release(run.reserved.id)
        };
        let finish = match &ended {
            Ended::Finished(finish) => Some(*finish),
            _ => None,
        };
        run.observer.event(Event::StepFinished {
            step: run.step,
            model: served.clone(),
            finish,
            usage,
            cost,
        });
        let last = match ended {
            Ended::Finished(finish) => Item::Finished(Outcome {
                finish,
                downgraded_from: (run.route.info.name != run.requested).then_some(run.requested),
                model: served,
                usage,
                cost,
            }),
            Ended::Abandoned => Item::Failed(LlmError::Cancelled),
            Ended::Failed { error, .. } => {
                run.observer
                    .event(Event::StepFailed { step: run.step, message: error.to_string() });
                Item::Failed(error.into())
            }
        };
        driver.push(last).await;
    }

    fn release(&self, id: store::ledger::ReservationId) -> domain::NanoDollars {
        match self.store().ledger().release(id, self.now_ms()) {
            Ok(settled) => settled.cost,
            Err(error) => {
                tracing::error!(%error, "a release failed; the reservation stays booked");
                domain::NanoDollars::ZERO
            }
        }
    }
}

/// One granted call.
struct Run {
    requested: String,
    route: Route,
    quote: Quote,
    reserved: Reserved,
    step: u32,
    observer: Arc<dyn Observer>,
}

enum Ended {
    Finished(Finish),
    /// `begun`: something arrived, so it may be billed.
    Failed {
        error: ProviderError,
        begun: bool,
    },
    /// The reader went away.
    Abandoned,
}

async fn stream(run: &Run, provider_call: &Call, driver: &Driver, count: &mut Count) -> Ended {
    let answer = match call(&run.route, provider_call, run.step, &*run.observer).await {
        Ok(answer) => answer,
        Err(error) => return Ended::Failed { error, begun: false },
    };
    let first = futures::stream::iter(answer.first.map(Ok));
    let mut deltas: Deltas = first.chain(answer.rest).boxed();
    while let Some(delta) = deltas.next().await {
        let delta = match delta {
            Ok(delta) => delta,
            Err(error) => return Ended::Failed { error, begun: true },
        };
        count.see(&delta);
        match delta {
            Delta::Finished(finish) => return Ended::Finished(finish),
            Delta::Usage(_) | Delta::Model(_) => {}
            delta => driver.push(Item::Delta(delta)).await,
        }
    }
    let error = ProviderError::Malformed {
        provider: run.route.provider.name().into(),
        reason: "the stream ended without an end".into(),
    };
    Ended::Failed { error, begun: true }
}
