//! The model calls of one turn: they are numbered, and none outlives it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::{Scope, Window};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What one turn's calls have in common. A door without turns makes one per request.
#[derive(Debug, Default)]
pub struct Steps {
    started: AtomicU32,
    drivers: TaskTracker,
    over: CancellationToken,
    told: Mutex<BTreeSet<Told>>,
}

/// A state of a cap that the user is told of once a turn, not at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Percent(Scope, Window, u8),
    Passed(Scope, Window),
}

impl Steps {
    /// Ends the turn's calls: cancels those that are still open, and resolves when all of them
    /// are settled. Idempotent; a call that begins afterwards is cancelled at once.
    pub async fn finish(&self) {
        self.over.cancel();
        self.drivers.close();
        self.drivers.wait().await;
    }

    /// The number of the step that begins, from 1.
    pub(crate) fn next(&self) -> u32 {
        self.started.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Held by a call until it is settled.
    pub(crate) fn token(&self) -> TaskTrackerToken {
        self.drivers.token()
    }

    pub(crate) async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Whether this is news.
    pub(crate) fn tell(&self, told: Told) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(told)
    }
}
