//! The right to have one request under way.

use domain::AgentName;
use tokio::time::Instant;

use super::Limiter;

/// Held from the admission of a request to its settlement. Dropping it lets the next one start.
pub(crate) struct Permit(Option<Held>);

struct Held {
    limiter: Limiter,
    agent: AgentName,
    estimate: u64,
    /// Tokens; `None` until it is sent.
    used: Option<u64>,
}

impl Permit {
    /// Of an agent without limits.
    pub fn free() -> Self {
        Self(None)
    }

    pub(super) fn new(limiter: Limiter, agent: AgentName, estimate: u64) -> Self {
        Self(Some(Held { limiter, agent, estimate, used: None }))
    }

    /// From here on it counts as a request, with so many tokens so far.
    pub fn used(&mut self, tokens: u64) {
        if let Some(held) = &mut self.0 {
            held.used = Some(tokens);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(Held { limiter, agent, estimate, used }) = self.0.take() else { return };
        let now = Instant::now();
        let mut state = limiter.state();
        if let Some(agent) = state.agents.get_mut(&agent) {
            agent.end(estimate, used, now);
        }
        state.running = state.running.saturating_sub(1);
        state.start_all(&limiter.0.limits, now);
    }
}
