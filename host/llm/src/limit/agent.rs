//! What one agent has under way, has used lately, and waits for.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::{Limits, Waiter};

/// What limits a minute count over.
const WINDOW: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Agent {
    pub waiting: VecDeque<Waiter>,
    running: u32,
    /// Tokens of what runs, estimated.
    under_way: u64,
    /// When requests started, within the window.
    started: VecDeque<Instant>,
    /// Tokens by the moment of their settlement, within the window, and their sum.
    settled: VecDeque<(Instant, u64)>,
    sum: u64,
}

impl Agent {
    /// Forgets what is older than the window.
    fn forget(&mut self, now: Instant) {
        while self.started.front().is_some_and(|at| *at + WINDOW <= now) {
            self.started.pop_front();
        }
        while let Some((at, tokens)) = self.settled.front()
            && *at + WINDOW <= now
        {
            self.sum = self.sum.saturating_sub(*tokens);
            self.settled.pop_front();
        }
    }

    /// Whether its next request may start.
    pub fn may_start(&mut self, limits: &Limits, now: Instant) -> bool {
        self.forget(now);
        let Limits { requests_per_minute, tokens_per_minute, concurrent } = *limits;
        concurrent.is_none_or(|most| self.running < most.get())
            && requests_per_minute.is_none_or(|most| self.started.len() < most.get() as usize)
            && tokens_per_minute.is_none_or(|most| self.tokens() < most.get())
    }

    fn tokens(&self) -> u64 {
        self.sum.saturating_add(self.under_way)
    }

    /// When the limits of a minute let the next one start, where only time stands in the way.
    pub fn ready_at(&mut self, limits: &Limits, now: Instant) -> Option<Instant> {
        self.forget(now);
        let mut ready = now;
        if let Some(most) = limits.requests_per_minute
            && let Some(over) = self.started.len().checked_sub(most.get() as usize)
        {
            ready = ready.max(*self.started.get(over)? + WINDOW);
        }
        if let Some(most) = limits.tokens_per_minute {
            let mut tokens = self.tokens();
            let mut old = self.settled.iter();
            while tokens >= most.get() {
                let (at, freed) = old.next()?;
                tokens = tokens.saturating_sub(*freed);
                ready = ready.max(*at + WINDOW);
            }
        }
        (ready > now).then_some(ready)
    }

    /// Starts its next request; `false` when that one is gone.
    pub fn start(&mut self, now: Instant) -> bool {
        let Some(waiter) = self.waiting.pop_front() else { return false };
        if waiter.grant.send(()).is_err() {
            return false;
        }
        self.running += 1;
        self.under_way = self.under_way.saturating_add(waiter.estimate);
        self.started.push_back(now);
        true
    }

    /// Ends one. `used`: `None` for one that never left.
    pub fn end(&mut self, estimate: u64, used: Option<u64>, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.under_way = self.under_way.saturating_sub(estimate);
        match used {
            Some(tokens) => {
                self.settled.push_back((now, tokens));
                self.sum = self.sum.saturating_add(tokens);
            }
            None => {
                self.started.pop_back();
            }
        }
    }
}
