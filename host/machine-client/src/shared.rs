//! What the task of the stream and the handles of callers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::state::State;

#[derive(Debug, Default)]
pub struct Shared {
    state: Mutex<State>,
    /// There is something to send, or nobody is left who could want anything.
    pub wake: Notify,
}

impl Shared {
    /// Held for moments only, never over a wait. Also after a panic: the state is whole between its calls.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that may leave something to send.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        if state.has_requests() {
            self.wake.notify_one();
        }
        result
    }
}

/// Kept by all who can ask for something; when the last goes, the stream may end.
#[derive(Debug)]
pub struct Holder {
    pub shared: Arc<Shared>,
}

impl Holder {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.shared.lock().abandon();
        self.shared.wake.notify_one();
    }
}
