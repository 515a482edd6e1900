//! The state behind a turn, and the handle by which the session steers it.

use std::sync::Arc;

use approvals::Approvals;
use domain::{HarnessEvent, TurnInput};

use crate::calls::Calls;
use crate::cancel::Cancellation;
use crate::events::Events;
use crate::inputs::Inputs;
use crate::permit::Questions;

/// What this crate keeps per session.
pub struct TurnCtx {
    pub(crate) events: Events,
    pub(crate) inputs: Arc<Inputs>,
    pub(crate) approvals: Approvals,
    calls: Calls,
    pub(crate) questions: Questions,
}

/// The other side of a running turn: input and cancellation. Cloning shares it.
#[derive(Clone)]
pub struct TurnHandle {
    inputs: Arc<Inputs>,
}

impl TurnCtx {
    pub fn new(events: Events, approvals: Approvals) -> Self {
        Self {
            events,
            inputs: Arc::default(),
            approvals,
            calls: Calls::default(),
            questions: Questions::default(),
        }
    }

    /// For a fresh instance in a session that has a handle already.
    pub fn with_handle(events: Events, approvals: Approvals, handle: &TurnHandle) -> Self {
        Self {
            events,
            inputs: handle.inputs.clone(),
            approvals,
            calls: Calls::default(),
            questions: Questions::default(),
        }
    }

    /// Ends the spans of calls that the guest left open: the turn is over.
    pub fn end_calls(&mut self) {
        self.calls.clear();
    }

    pub fn handle(&self) -> TurnHandle {
        TurnHandle { inputs: self.inputs.clone() }
    }

    /// The cancellation of the current turn.
    pub fn cancellation(&self) -> Cancellation {
        self.inputs.cancellation()
    }

    /// Waits while too many events are unread.
    pub(crate) async fn emit(&mut self, event: HarnessEvent) {
        self.calls.see(&event);
        self.events.guest(event, &self.cancellation()).await;
    }
}

impl Default for TurnHandle {
    /// For a session whose first instance is still to come.
    fn default() -> Self {
        Self { inputs: Arc::default() }
    }
}

impl TurnHandle {
    /// A fresh cancellation for the turn that begins. A `cancel` before it was for the turn
    /// before.
    pub fn begin(&self) -> Cancellation {
        self.inputs.begin()
    }

    /// The cancellation of the current turn.
    pub fn cancellation(&self) -> Cancellation {
        self.inputs.cancellation()
    }

    /// Cancels the current turn. Idempotent.
    pub fn cancel(&self) {
        self.inputs.cancel();
    }

    /// Hands an input to the guest. `false`: the guest has too many waiting, this one is refused.
    #[must_use]
    pub fn send(&self, input: TurnInput) -> bool {
        if input == TurnInput::Cancel {
            self.cancel();
            return true;
        }
        self.inputs.add(input)
    }

    /// What the guest did not take: it becomes the next turn's prompt.
    pub fn leftovers(&self) -> Vec<TurnInput> {
        self.inputs.leftovers()
    }
}
