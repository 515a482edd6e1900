//! Cancellation of a turn, as the contract describes it (`harness/types.input.cancel`).
//!
//! Two phases. From the cancellation until the guest has taken `cancel` from its input, every
//! blocking call returns at once; afterwards calls on what is still open block as ever, so that a
//! foreign agent can be told to stop and heard out. New work is refused in both phases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// What blocking calls race against. Cloning shares it. The user's side is `TurnHandle`.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    requested: CancellationToken,
    taken: Arc<AtomicBool>,
}

impl Cancellation {
    /// Whether the turn is cancelled: new work is refused.
    pub fn is_cancelled(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Resolves when the turn is cancelled; for what cancellation ends for good (completions,
    /// tool calls, questions).
    pub async fn cancelled(&self) {
        self.requested.cancelled().await;
    }

    /// Resolves when the turn is cancelled and the guest does not know yet; never afterwards. For
    /// waits that outlive the cancellation.
    pub async fn interrupted(&self) {
        self.requested.cancelled().await;
        if self.taken.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
    }

    /// Idempotent.
    pub(crate) fn cancel(&self) {
        self.requested.cancel();
    }

    /// The guest has taken `cancel`.
    pub(crate) fn acknowledge(&self) {
        self.taken.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn interrupts_until_acknowledged() {
        let cancellation = Cancellation::default();
        assert!(cancellation.interrupted().now_or_never().is_none());
        cancellation.cancel();
        assert!(cancellation.is_cancelled());
        assert!(cancellation.interrupted().now_or_never().is_some());
        cancellation.acknowledge();
        assert!(cancellation.interrupted().now_or_never().is_none());
        assert!(cancellation.cancelled().now_or_never().is_some());
    }
}
