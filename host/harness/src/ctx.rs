//! The state behind a turn, and the handle by which the session steers it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::wait::{Signal, Waitable};
use domain::{HarnessEvent, TurnInput};

use crate::cancel::{Cancellation, Canceller};
use crate::events::Events;
use crate::user::User;

/// Inputs that wait for a guest that does not take them: a person types a few.
const INPUTS_MAX: usize = 1_024;

/// What this crate keeps per session.
pub struct TurnCtx {
    pub(crate) events: Events,
    pub(crate) inputs: Arc<Inputs>,
    pub(crate) user: Arc<dyn User>,
}

/// The other side of a running turn: input and cancellation. Cloning shares it.
#[derive(Clone)]
pub struct TurnHandle {
    inputs: Arc<Inputs>,
}

/// The inputs of a session and the cancellation of its current turn.
#[derive(Default)]
pub(crate) struct Inputs {
    queue: Mutex<VecDeque<TurnInput>>,
    ready: Signal,
    cancellation: Mutex<Cancellation>,
}

impl Inputs {
    fn queue(&self) -> MutexGuard<'_, VecDeque<TurnInput>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cancellation(&self) -> Cancellation {
        self.cancellation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn waitable(&self) -> Waitable {
        self.ready.waitable()
    }

    /// The next input; a cancellation comes before everything else and stays.
    pub(crate) fn take(&self) -> Option<TurnInput> {
        let cancellation = self.cancellation();
        if cancellation.is_cancelled() {
            cancellation.acknowledge();
            return Some(TurnInput::Cancel);
        }
        let mut queue = self.queue();
        let input = queue.pop_front();
        if queue.is_empty() {
            self.ready.lower();
        }
        input
    }
}

impl TurnCtx {
    pub fn new(events: Events, user: Arc<dyn User>) -> Self {
        Self { events, inputs: Arc::default(), user }
    }

    /// For a fresh instance in a session that has a handle already.
    pub fn with_handle(events: Events, user: Arc<dyn User>, handle: &TurnHandle) -> Self {
        Self { events, inputs: handle.inputs.clone(), user }
    }

    pub fn handle(&self) -> TurnHandle {
        TurnHandle { inputs: self.inputs.clone() }
    }

    /// The cancellation of the current turn.
    pub fn cancellation(&self) -> Cancellation {
        self.inputs.cancellation()
    }

    pub(crate) async fn emit(&self, event: HarnessEvent) {
        let cancellation = self.cancellation();
        tokio::select! {
            biased;
            () = self.events.guest(event.clone()) => {}
            // A guest that winds down loses nothing and waits for nobody.
            () = cancellation.interrupted() => self.events.guest_now(event, None),
        }
    }
}

impl TurnHandle {
    /// A fresh cancellation for the turn that begins.
    pub fn begin(&self) -> Cancellation {
        let fresh = Cancellation::default();
        *self.inputs.cancellation.lock().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        if self.inputs.queue().is_empty() {
            self.inputs.ready.lower();
        }
        fresh
    }

    pub fn canceller(&self) -> Canceller {
        self.inputs.cancellation().canceller()
    }

    /// The cancellation of the current turn.
    pub fn cancellation(&self) -> Cancellation {
        self.inputs.cancellation()
    }

    /// Hands an input to the guest. `false`: the guest has too many waiting, this one is refused.
    #[must_use]
    pub fn send(&self, input: TurnInput) -> bool {
        if input == TurnInput::Cancel {
            self.canceller().cancel();
            self.inputs.ready.raise();
            return true;
        }
        let mut queue = self.inputs.queue();
        if queue.len() >= INPUTS_MAX {
            return false;
        }
        queue.push_back(input);
        self.inputs.ready.raise();
        true
    }

    /// What the guest did not take: it becomes the next turn's prompt.
    pub fn leftovers(&self) -> Vec<TurnInput> {
        self.inputs.ready.lower();
        self.inputs.queue().drain(..).collect()
    }
}
