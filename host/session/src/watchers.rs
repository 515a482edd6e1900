//! Questions and decisions as events of the session. What a guest causes waits for its reader, like
//! the guest's own events.

use approvals::Watchers;
use domain::Event;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use harness::{Events, TurnHandle};

pub(crate) struct Reported {
    pub events: Events,
    /// Of the session: a cancellation of the turn that runs lets the guest wind down.
    pub handle: TurnHandle,
}

impl Watchers for Reported {
    fn tell(&self, event: Event) {
        self.events.host(event);
    }

    fn caused<'a>(&'a self, event: Event, bytes: usize) -> BoxFuture<'a, ()> {
        let cancellation = self.handle.cancellation();
        async move { self.events.caused(event, bytes, &cancellation).await }.boxed()
    }
}
