//! The pipeline itself: the stages in order, up to the task that drives the call.

use std::sync::Arc;

use domain::provider::{Call, ModelInfo};
use domain::{AgentName, Event, SessionId, TurnId};
use harness::Cancellation;
use store::Store;
use store::ledger::{Cap, Refusal};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use crate::admit::admit;
use crate::completion::{Completion, pair};
use crate::drive::{Run, drive};
use crate::error::LlmError;
use crate::price::{Quote, quote};
use crate::reserve::{Ask, Granted, Verdict, describe, exhausted, reserve};
use crate::route::{Route, Router};
use crate::span;
use crate::steps::Steps;
use crate::warn::warn;
use domain::chat::Request;

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

/// Sees what the pipeline does. Calls must not block and must not panic.
pub trait Observer: Send + Sync {
    fn event(&self, event: Event);
}

/// What a call belongs to.
#[derive(Clone)]
pub struct Context {
    /// Of the turn: ends the call with `cancelled`.
    pub cancellation: Cancellation,
    /// Of the turn.
    pub steps: Arc<Steps>,
    pub observer: Arc<dyn Observer>,
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

    /// Facts about a model, for guests and for checks before a turn.
    pub fn model(&self, name: &str) -> Result<ModelInfo, LlmError> {
        Ok(self.0.router.route(name)?.info)
    }

    /// Whether a request to the model can be made at all: a paid one without a price is refused
    /// each time, so nothing need begin with it.
    pub fn check(&self, name: &str) -> Result<(), LlmError> {
        quote(&Request::default(), &self.0.router.route(name)?).map(|_| ())
    }

    /// Resolves when every call under way, of all sessions, is settled. Cancels nothing: end or
    /// drop what is open first (see [`Steps::finish`]). For the end of a process.
    pub async fn drain(&self) {
        self.0.drivers.close();
        self.0.drivers.wait().await;
        self.0.drivers.reopen();
    }

    /// Admits, prices and reserves, then starts the call. Everything that can be refused before
    /// money is spent is refused here; later failures are the completion's last item. Dropping
    /// the future before it resolves leaves nothing reserved. A cancellation ends what was
    /// started; while this waits, the caller drops it.
    pub async fn complete(
        &self,
        caller: &Caller,
        request: Request,
        context: &Context,
    ) -> Result<Completion, LlmError> {
        let requested = request.model.clone().unwrap_or_else(|| caller.model.clone());
        let step = span::step(caller, &request, &requested);
        let started = self.begin(caller, request, requested, context).instrument(step.clone());
        started.await.inspect_err(|error| span::failed(&step, error))
    }

    async fn begin(
        &self,
        caller: &Caller,
        request: Request,
        requested: String,
        context: &Context,
    ) -> Result<Completion, LlmError> {
        tracing::debug_span!("admit").in_scope(|| admit(&request))?;
        if requested != caller.model && !caller.models.contains(&requested) {
            return Err(LlmError::UnknownModel {
                model: requested,
                hint: "this agent may not ask for it; add it to the agent's `models:`".into(),
            });
        }
        let mut tried: Vec<String> = Vec::new();
        let mut target = requested.clone();
        // Why the requested model was left.
        let mut left: Option<Box<Refusal>> = None;
        loop {
            let price = tracing::debug_span!("price");
            let (route, quote) = match (price.in_scope(|| self.price(&request, &target)), &left) {
                (Ok(priced), _) => priced,
                (Err(error), None) => return Err(error),
                (Err(error), Some(refusal)) => {
                    let more = format!("and its fallback cannot answer: {error}");
                    return Err(exhausted(refusal, &more));
                }
            };
            tried.push(target);
            let ask = Ask {
                store: &self.0.store,
                caller,
                requested: &requested,
                route: &route,
                tried: &tried,
                observer: &*context.observer,
            };
            match reserve(&ask, quote).instrument(tracing::debug_span!("reserve")).await? {
                Verdict::Granted(granted) => {
                    if let Some(refusal) = left {
                        context.observer.event(Event::Downgrade {
                            from: requested.clone(),
                            to: route.info.name.clone(),
                            reason: describe(&refusal.line, refusal.amount),
                        });
                    }
                    return Ok(self.start(caller, request, requested, route, granted, context));
                }
                Verdict::Degrade { to, refusal } => {
                    left.get_or_insert(refusal);
                    target = to;
                }
            }
        }
    }

    fn price(&self, request: &Request, target: &str) -> Result<(Route, Quote), LlmError> {
        let route = self.0.router.route(target)?;
        let quote = quote(request, &route)?;
        Ok((route, quote))
    }

    fn start(
        &self,
        caller: &Caller,
        request: Request,
        requested: String,
        route: Route,
        granted: Granted,
        context: &Context,
    ) -> Completion {
        let Context { cancellation, steps, observer } = context.clone();
        let step = steps.next();
        let span = Span::current();
        span::granted(&span, step, &route, granted.reservation.amount().0);
        warn(&granted.lines, &steps, &*observer);
        observer.event(Event::StepStarted {
            step,
            model: route.info.name.clone(),
            reserved: granted.reservation.amount(),
        });
        let call = Call {
            model: route.model.clone(),
            max_output_tokens: granted.output,
            session: caller.session.clone(),
            request,
        };
        let reservation = granted.reservation;
        let run = Run { requested, route, call, reservation, step, observer };
        let (driver, completion) = pair();
        let token = steps.token();
        let driving = async move {
            drive(driver, run, cancellation, steps).await;
            drop(token);
        };
        self.0.drivers.spawn(driving.instrument(span));
        completion
    }
}
