//! Conditions that a guest can wait for: `xpressclaw:base/wait` on the host's side.
//!
//! A condition is a watched boolean: whoever owns the thing keeps the `Signal` and raises or
//! lowers it; guests hold `Waitable`s. Level-triggered: a wait on a raised signal returns at once.

use tokio::sync::watch;

/// The owner's end. Dropping it raises the condition for good: what is gone will not come, and a
/// waiter must find that out instead of waiting for ever.
#[derive(Debug)]
pub struct Signal(watch::Sender<bool>);

/// A waiter's end; any number of them.
#[derive(Debug, Clone)]
pub struct Waitable(watch::Receiver<bool>);

impl Default for Signal {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Signal {
    pub fn raise(&self) {
        self.0.send_if_modified(|on| !std::mem::replace(on, true));
    }

    pub fn lower(&self) {
        self.0.send_if_modified(|on| std::mem::replace(on, false));
    }

    pub fn waitable(&self) -> Waitable {
        Waitable(self.0.subscribe())
    }

    /// Resolves when nobody waits any more: every `Waitable` made so far is dropped.
    pub async fn abandoned(&self) {
        self.0.closed().await;
    }
}

impl Waitable {
    /// Whether the condition holds now.
    pub fn is_ready(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Resolves when the condition holds. Cancel-safe.
    pub async fn ready(&mut self) {
        // An error means that the owner is gone, which counts as ready.
        let _ = self.0.wait_for(|on| *on).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_its_signal_and_ends_ready() {
        let signal = Signal::default();
        let waitable = signal.waitable();
        assert!(!waitable.is_ready());
        signal.raise();
        signal.raise();
        assert!(waitable.is_ready());
        signal.lower();
        assert!(!waitable.is_ready());
        drop(signal);
        assert!(waitable.is_ready());
    }
}
