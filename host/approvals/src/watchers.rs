//! Who is told of questions and decisions.

use domain::Event;
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// The session's watchers, whoever they are.
pub trait Watchers: Send + Sync {
    /// Never waits: for what a person did, and for what is bounded already.
    fn tell(&self, event: Event);

    /// For what a guest can cause as often as it likes: waits while too much of it is unread.
    /// `bytes` of it are the guest's. Dropping the future tells nothing.
    fn caused<'a>(&'a self, event: Event, bytes: usize) -> BoxFuture<'a, ()>;
}

/// Watchers that take everything at once.
impl<F: Fn(Event) + Send + Sync> Watchers for F {
    fn tell(&self, event: Event) {
        self(event);
    }

    fn caused<'a>(&'a self, event: Event, _bytes: usize) -> BoxFuture<'a, ()> {
        self(event);
        std::future::ready(()).boxed()
    }
}
