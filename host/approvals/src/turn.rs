//! What approvals know of the turn that runs.

use std::collections::HashSet;

use domain::{ActionKind, TurnId};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, select};
use tokio::sync::oneshot;

/// Distinct decisions of rules that are recorded in a turn: after so many the user has seen the
/// point, and a guest that tries every path must not fill the audit log.
const TOLD_MAX: usize = 1_000;

pub(crate) struct Turn {
    pub id: Option<TurnId>,
    cancelled: Shared<BoxFuture<'static, ()>>,
    told: HashSet<(ActionKind, String, String)>,
    /// Dropped with the turn: that ends the questions which its guest left open.
    _over: oneshot::Sender<()>,
}

impl Turn {
    pub fn new(id: Option<TurnId>, cancelled: impl Future<Output = ()> + Send + 'static) -> Self {
        let (over, ended) = oneshot::channel();
        let cancelled = select(cancelled.boxed(), ended).map(drop).boxed().shared();
        Self { id, cancelled, told: HashSet::new(), _over: over }
    }

    /// After a turn: nobody is asked for anything before the next one begins.
    pub fn over() -> Self {
        Self::new(None, std::future::ready(()))
    }

    /// Resolves when the turn is cancelled or over.
    pub fn cancelled(&self) -> Shared<BoxFuture<'static, ()>> {
        self.cancelled.clone()
    }

    /// Whether a decision is to be told: each once, and not without end.
    pub fn first(&mut self, kind: ActionKind, subject: &str, by: &str) -> bool {
        self.told.len() < TOLD_MAX && self.told.insert((kind, subject.to_owned(), by.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_turn_and_one_that_is_over_end_their_questions() {
        let turn = Turn::new(None, std::future::pending());
        let open = turn.cancelled();
        assert!(open.clone().now_or_never().is_none());
        drop(turn);
        assert!(open.now_or_never().is_some());
        assert!(Turn::new(None, std::future::ready(())).cancelled().now_or_never().is_some());
        assert!(Turn::over().cancelled().now_or_never().is_some());
    }

    #[test]
    fn each_decision_is_told_once_and_not_without_end() {
        let mut turn = Turn::new(None, std::future::pending());
        assert!(turn.first(ActionKind::Read, "a", "rule"));
        assert!(!turn.first(ActionKind::Read, "a", "rule"));
        assert!(turn.first(ActionKind::Write, "a", "rule"));
        for n in 2..TOLD_MAX {
            assert!(turn.first(ActionKind::Read, &n.to_string(), "rule"));
        }
        assert!(!turn.first(ActionKind::Read, "new", "rule"));
    }
}
