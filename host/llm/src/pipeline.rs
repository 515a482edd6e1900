//! The pipeline itself: the stages in order, up to the task that drives the call.

use std::sync::Arc;

use domain::provider::{Call, ModelInfo};
use domain::{AgentName, BudgetLine, Event, SessionId, TurnId};
use futures::future::{BoxFuture, ready};
use harness::Cancellation;
use store::Store;
use store::ledger::{Cap, Refusal};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use crate::admit::admit;
use crate::clock::{self, Clock};
use crate::completion::{Completion, pair};
use crate::drive::{Run, drive};
use crate::error::LlmError;
use crate::fit::{Fitted, Frame, Refit, fit};
use crate::limit::{Limiter, Permit, RateLimits};
use crate::price::{Quote, quote};
use crate::reserve::{Ask, Granted, Verdict, describe, exhausted, reserve};
use crate::route::{Route, Router};
use crate::span;
use crate::steps::Steps;
use crate::warn::warn;
use domain::chat::Request;

/// Of a token, about: what a request counts for in its agent's limits until it is settled.
const BYTES_A_TOKEN: u64 = 4;

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

    /// The request waits for this cap; an event said so just before.
    fn paused(&self, _line: &BudgetLine) {}

    /// Resolves when there is room for what one more request reports. A door for guests waits for it
    /// before it begins one. Cancel-safe.
    fn room(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
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

/// What a pipeline is made with beside its models and its ledger.
#[derive(Clone)]
pub struct Options {
    /// How often agents may ask.
    pub limits: RateLimits,
    /// What the ledger takes for the time.
    pub clock: Clock,
}

impl Default for Options {
    /// No limits, and the machine's clock.
    fn default() -> Self {
        Self { limits: RateLimits::default(), clock: clock::system() }
    }
}

/// A model that may answer, and what it would be sent.
struct Target {
    route: Route,
    quote: Quote,
    /// What fits it, when it is not the model that was asked for.
    fitted: Option<Fitted>,
}

/// A request on its way.
struct Routed {
    /// The model that was asked for.
    requested: String,
    route: Route,
    request: Request,
    refit: Option<Refit>,
}

/// One per process; every door shares it. Cloning shares it.
#[derive(Clone)]
pub struct Pipeline(Arc<Inner>);

struct Inner {
    router: Router,
    store: Store,
    limiter: Limiter,
    clock: Clock,
    drivers: TaskTracker,
}

impl Pipeline {
    pub fn new(router: Router, store: Store) -> Self {
        Self::with(router, store, Options::default())
    }

    pub fn with(router: Router, store: Store, options: Options) -> Self {
        let Options { limits, clock } = options;
        let (limiter, drivers) = (Limiter::new(limits), TaskTracker::new());
        Self(Arc::new(Inner { router, store, limiter, clock, drivers }))
    }

    /// Facts about a model, for guests and for checks before a turn.
    pub fn model(&self, name: &str) -> Result<ModelInfo, LlmError> {
        Ok(self.0.router.route(name)?.info)
    }

    /// Whether a further parameter of a request means anything to the model's provider.
    pub fn takes(&self, name: &str, field: &str) -> bool {
        self.0.router.route(name).is_ok_and(|route| route.provider.takes(field))
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
        let bytes = tracing::debug_span!("admit").in_scope(|| admit(&request))?;
        if requested != caller.model && !caller.models.contains(&requested) {
            return Err(LlmError::UnknownModel {
                model: requested,
                hint: "this agent may not ask for it; add it to the agent's `models:`".into(),
            });
        }
        let estimate = bytes as u64 / BYTES_A_TOKEN;
        let limiter = &self.0.limiter;
        let waiting = tracing::debug_span!("limit");
        let admitted = limiter.admit(&caller.agent, estimate).instrument(waiting).await?;
        let mut permit = Some(admitted);
        let mut tried: Vec<String> = Vec::new();
        let mut target = requested.clone();
        // Why the requested model was left.
        let mut left: Option<Box<Refusal>> = None;
        // Where the requested model is.
        let mut origin: Option<Route> = None;
        loop {
            let price = tracing::debug_span!("price");
            let Target { route, quote, fitted } = match &left {
                None => price.in_scope(|| self.requested(&request, &target))?,
                Some(refusal) => {
                    let found = self.fallback(&request, &target, origin.as_ref());
                    found.instrument(price).await.map_err(|error| {
                        let more = format!("and its fallback cannot answer: {error}");
                        exhausted(refusal, &more)
                    })?
                }
            };
            origin.get_or_insert_with(|| route.clone());
            tried.push(target);
            let ask = Ask {
                store: &self.0.store,
                caller,
                requested: &requested,
                route: &route,
                tried: &tried,
                observer: &*context.observer,
                clock: &self.0.clock,
            };
            let reserving = reserve(&ask, quote, &mut permit);
            match reserving.instrument(tracing::debug_span!("reserve")).await? {
                Verdict::Granted(granted) => {
                    if let Some(refusal) = left {
                        context.observer.event(Event::Downgrade {
                            from: requested.clone(),
                            to: route.info.name.clone(),
                            reason: describe(&refusal.line, refusal.amount),
                            left_out: fitted.as_ref().map(|f| f.left_out).unwrap_or_default(),
                        });
                    }
                    let refit = fitted.as_ref().map(|_| Refit::new(&route, origin.as_ref()));
                    let request = fitted.map_or(request, |fitted| fitted.request);
                    let routed = Routed { requested, route, request, refit };
                    // After a pause, which holds nobody else up, it waits for its turn once more.
                    let permit = match permit {
                        Some(permit) => permit,
                        None => limiter.admit(&caller.agent, estimate).await?,
                    };
                    return Ok(self.start(caller, routed, (granted, permit), context));
                }
                Verdict::Degrade { to, refusal } => {
                    left.get_or_insert(refusal);
                    target = to;
                }
            }
        }
    }

    /// The model that was asked for gets the request as it is.
    fn requested(&self, request: &Request, target: &str) -> Result<Target, LlmError> {
        let route = self.0.router.route(target)?;
        let quote = quote(request, &route)?;
        Ok(Target { route, quote, fitted: None })
    }

    /// Another one gets what of it fits.
    async fn fallback(
        &self,
        request: &Request,
        target: &str,
        origin: Option<&Route>,
    ) -> Result<Target, String> {
        let route = self.0.router.route(target).map_err(|e| e.to_string())?;
        // Refuses what has no price before anything is counted.
        let whole = quote(request, &route).map_err(|e| e.to_string())?;
        let frame = Frame::new(&route, origin, whole.output);
        let fitted = fit(request.clone(), &route, frame).await.map_err(|e| e.to_string())?;
        let mut quote = quote(&fitted.request, &route).map_err(|e| e.to_string())?;
        quote.output = quote.output.min(fitted.output).max(1);
        Ok(Target { route, quote, fitted: Some(fitted) })
    }

    fn start(
        &self,
        caller: &Caller,
        routed: Routed,
        (granted, mut permit): (Granted, Permit),
        context: &Context,
    ) -> Completion {
        permit.used(0);
        let Routed { requested, route, mut request, refit } = routed;
        if route.info.name != requested {
            // What was meant for the model that was asked for; here it would be refused.
            request.extra.retain(|field, _| route.provider.takes(field));
        }
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
        let run = Run { requested, route, call, refit, reservation, permit, step, observer };
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
