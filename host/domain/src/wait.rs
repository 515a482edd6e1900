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
pub struct Waitable(Condition);

#[derive(Debug, Clone)]
enum Condition {
    Now(watch::Receiver<bool>),
    /// Of a thing that is not there yet.
    Later(watch::Receiver<Option<Box<Waitable>>>),
}

/// Whoever makes a thing whose condition others wait for already. Dropping it unkept makes them ready:
/// the thing will not come.
#[derive(Debug)]
pub struct Promise(watch::Sender<Option<Box<Waitable>>>);

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
        Waitable(Condition::Now(self.0.subscribe()))
    }

    /// Resolves when nobody waits any more: every `Waitable` made so far is dropped.
    pub async fn abandoned(&self) {
        self.0.closed().await;
    }
}

impl Default for Promise {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Promise {
    /// The condition of what is promised.
    pub fn waitable(&self) -> Waitable {
        Waitable(Condition::Later(self.0.subscribe()))
    }

    /// From now on, who waits waits for this.
    pub fn keep(self, waitable: Waitable) {
        self.0.send_replace(Some(Box::new(waitable)));
    }
}

impl Waitable {
    /// Whether the condition holds now.
    pub fn is_ready(&self) -> bool {
        match &self.0 {
            Condition::Now(on) => *on.borrow() || on.has_changed().is_err(),
            Condition::Later(promised) => match &*promised.borrow() {
                Some(waitable) => waitable.is_ready(),
                None => promised.has_changed().is_err(),
            },
        }
    }

    /// Resolves when the condition holds. Cancel-safe.
    pub async fn ready(&mut self) {
        if let Condition::Later(promised) = &mut self.0 {
            let kept = promised.wait_for(Option::is_some).await.ok().and_then(|kept| kept.clone());
            let Some(kept) = kept else { return };
            *self = *kept;
        }
        match &mut self.0 {
            // An error means that the owner is gone, which counts as ready.
            Condition::Now(on) => drop(on.wait_for(|on| *on).await),
            Condition::Later(_) => Box::pin(self.ready()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

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
    #[tokio::test]
    async fn a_promise_becomes_the_condition_that_it_is_kept_with() {
        let signal = Signal::default();
        let promise = Promise::default();
        let (mut waiting, later) = (promise.waitable(), promise.waitable());
        assert!(!later.is_ready());
        let mut wait = std::pin::pin!(waiting.ready());
        promise.keep(signal.waitable());
        assert!((&mut wait).now_or_never().is_none());
        assert!(!later.is_ready());
        signal.raise();
        wait.await;
        assert!(later.is_ready());

        let promise = Promise::default();
        let mut never = promise.waitable();
        drop(promise);
        assert!(never.is_ready());
        never.ready().await;
    }
}
