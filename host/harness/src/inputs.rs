//! What the user says while a turn runs: a queue, its readiness and the turn's cancellation.
//!
//! One lock holds all three together, so that readiness never contradicts what `take` would
//! return, whoever writes in between.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::TurnInput;
use domain::wait::{Signal, Waitable};

use crate::cancel::Cancellation;

/// Inputs that wait for a guest that does not take them: a person types a few.
pub(crate) const INPUTS_MAX: usize = 1_024;

/// The inputs of a session and the cancellation of its current turn.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    state: Mutex<State>,
    ready: Signal,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<TurnInput>,
    cancellation: Cancellation,
}

impl Inputs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when `take` would return something.
    pub fn waitable(&self) -> Waitable {
        self.ready.waitable()
    }

    pub fn cancellation(&self) -> Cancellation {
        self.state().cancellation.clone()
    }

    /// A fresh cancellation for the turn that begins; what waits stays.
    pub fn begin(&self) -> Cancellation {
        let mut state = self.state();
        state.cancellation = Cancellation::default();
        self.show(&state);
        state.cancellation.clone()
    }

    pub fn cancel(&self) {
        let state = self.state();
        state.cancellation.cancel();
        self.show(&state);
    }

    /// `false`: too many are waiting, this one is refused.
    pub fn add(&self, input: TurnInput) -> bool {
        let mut state = self.state();
        if state.queue.len() >= INPUTS_MAX {
            return false;
        }
        state.queue.push_back(input);
        self.show(&state);
        true
    }

    /// The next input; a cancellation comes before everything else and stays.
    pub fn take(&self) -> Option<TurnInput> {
        let mut state = self.state();
        if state.cancellation.is_cancelled() {
            state.cancellation.acknowledge();
            return Some(TurnInput::Cancel);
        }
        let input = state.queue.pop_front();
        self.show(&state);
        input
    }

    /// Takes everything that waits.
    pub fn leftovers(&self) -> Vec<TurnInput> {
        let mut state = self.state();
        let left = state.queue.drain(..).collect();
        self.show(&state);
        left
    }

    fn show(&self, state: &State) {
        if state.cancellation.is_cancelled() || !state.queue.is_empty() {
            self.ready.raise();
        } else {
            self.ready.lower();
        }
    }
}
