//! Rate limits: how often and how much an agent may ask, and who is next when not all may.
//!
//! Called by the pipeline before a request is priced. A request that may not start waits in its
//! agent's queue; agents that wait take turns, so that one with a hundred requests cannot starve one
//! with a single one. The identity is the agent's name, which the host knows and no guest chooses.
//!
//! Limits hold for the process: two processes with one agent are two queues. What must hold over
//! processes is money, and that is the ledger's.
//!
//! It must never: hold a request for longer than [`WAIT_MAX`], lose a place when its waiter is
//! dropped, cost an agent without limits more than a look at a map.

mod agent;
mod permit;

use std::collections::{BTreeMap, VecDeque};
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::AgentName;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use self::agent::Agent;
pub(crate) use self::permit::Permit;
use crate::error::LlmError;

/// Requests of one agent that may wait: more than a harness has open, and a bound on memory.
const QUEUE_MAX: usize = 64;
/// The longest that a request waits before its caller is told when to come again: every window is
/// over by then.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// What is told where only the end of another request helps, and nobody knows when that is.
const AFTER_UNKNOWN: Duration = Duration::from_secs(1);

/// The limits of one agent; `None` does not limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests that start in any sixty seconds.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens, in and out, that are settled in any sixty seconds together with what is under way.
    /// A request starts while there are any left, so the last one may pass it.
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Requests at the same time.
    pub concurrent: Option<NonZeroU32>,
}

impl Limits {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The limits of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Of agents that have none of their own.
    pub default: Limits,
    pub agents: BTreeMap<AgentName, Limits>,
    /// Requests of all agents at the same time.
    pub together: Option<NonZeroU32>,
}

impl RateLimits {
    fn of(&self, agent: &AgentName) -> &Limits {
        self.agents.get(agent).unwrap_or(&self.default)
    }
}

/// The queues of a process. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<Inner>);

struct Inner {
    limits: RateLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    agents: BTreeMap<AgentName, Agent>,
    /// Agents with waiting requests, the next one first.
    turns: VecDeque<AgentName>,
    running: u32,
    last_ticket: u64,
}

/// A request in its queue.
struct Waiter {
    ticket: u64,
    /// Tokens that it will at least be about.
    estimate: u64,
    grant: oneshot::Sender<()>,
}

impl Limiter {
    pub fn new(limits: RateLimits) -> Self {
        Self(Arc::new(Inner { limits, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the agent may ask. `estimate`: tokens of the input, about. Dropping the future
    /// gives the place up.
    ///
    /// # Errors
    /// `RateLimited` when too many wait already, or after [`WAIT_MAX`].
    pub async fn admit(&self, agent: &AgentName, estimate: u64) -> Result<Permit, LlmError> {
        let limits = &self.0.limits;
        if limits.together.is_none() && limits.of(agent).is_none() {
            return Ok(Permit::free());
        }
        let give_up = Instant::now() + WAIT_MAX;
        let mut place = self.enqueue(agent, estimate)?;
        loop {
            let ready = self.dispatch(agent);
            if place.granted.try_recv().is_ok() {
                return Ok(place.taken());
            }
            if Instant::now() >= give_up {
                return Err(self.come_again(agent));
            }
            tokio::select! {
                biased;
                granted = &mut place.granted => {
                    if granted.is_ok() {
                        return Ok(place.taken());
                    }
                }
                () = sleep_until(ready.unwrap_or(give_up).min(give_up)) => {}
            }
        }
    }

    fn enqueue(&self, agent: &AgentName, estimate: u64) -> Result<Place, LlmError> {
        let mut state = self.state();
        let State { agents, turns, last_ticket, .. } = &mut *state;
        let queue = agents.entry(agent.clone()).or_default();
        if queue.waiting.len() >= QUEUE_MAX {
            drop(state);
            return Err(self.come_again(agent));
        }
        *last_ticket += 1;
        let ticket = *last_ticket;
        let (grant, granted) = oneshot::channel();
        if queue.waiting.is_empty() {
            turns.push_back(agent.clone());
        }
        queue.waiting.push_back(Waiter { ticket, estimate, grant });
        let limiter = self.clone();
        Ok(Place { limiter, agent: agent.clone(), ticket, estimate, granted, taken: false })
    }

    /// Starts whoever may. Returns when `agent` may at the earliest, where that is known.
    fn dispatch(&self, agent: &AgentName) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state();
        state.start_all(&self.0.limits, now);
        let limits = self.0.limits.of(agent);
        state.agents.get_mut(agent).and_then(|agent| agent.ready_at(limits, now))
    }

    fn come_again(&self, agent: &AgentName) -> LlmError {
        let now = Instant::now();
        let ready = self.dispatch(agent);
        let after = ready.map_or(AFTER_UNKNOWN, |at| at.saturating_duration_since(now));
        let after = after.clamp(Duration::from_millis(1), WAIT_MAX);
        LlmError::RateLimited { after_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX) }
    }
}

impl State {
    /// One request of each agent in turn, until none may start.
    fn start_all(&mut self, limits: &RateLimits, now: Instant) {
        let mut refused = 0;
        while refused < self.turns.len() {
            if limits.together.is_some_and(|most| self.running >= most.get()) {
                return;
            }
            let Some(name) = self.turns.pop_front() else { return };
            let Some(agent) = self.agents.get_mut(&name) else { continue };
            if agent.may_start(limits.of(&name), now) {
                if agent.start(now) {
                    self.running += 1;
                }
                refused = 0;
            } else {
                refused += 1;
            }
            if !agent.waiting.is_empty() {
                self.turns.push_back(name);
            }
        }
    }
}

/// A place in a queue; dropping it gives it up.
struct Place {
    limiter: Limiter,
    agent: AgentName,
    ticket: u64,
    estimate: u64,
    granted: oneshot::Receiver<()>,
    taken: bool,
}

impl Place {
    fn taken(mut self) -> Permit {
        self.taken = true;
        Permit::new(self.limiter.clone(), self.agent.clone(), self.estimate)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut state = self.limiter.state();
        if let Some(agent) = state.agents.get_mut(&self.agent)
            && let Some(at) = agent.waiting.iter().position(|w| w.ticket == self.ticket)
        {
            agent.waiting.remove(at);
            if agent.waiting.is_empty() {
                state.turns.retain(|name| *name != self.agent);
            }
            return;
        }
        drop(state);
        // Granted while it was being dropped.
        drop(Permit::new(self.limiter.clone(), self.agent.clone(), self.estimate));
    }
}
