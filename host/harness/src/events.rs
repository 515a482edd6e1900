//! The stream of events of a session, and the tally of a turn that is read off it.
//!
//! Two kinds of writer: the guest, which waits while too many of its events are unread, and the
//! host, which never waits (the pipeline reports from inside a stage). Order is one for both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::chat::Usage;
use domain::limits::EVENT_QUEUE;
use domain::{Event, HarnessEvent, NanoDollars, Part};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of answer that are kept for the session's history; more is cut, and the cut is marked.
const ANSWER_MAX_BYTES: usize = 1 << 20;

/// The writers' end. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::UnboundedSender<(Event, Option<OwnedSemaphorePermit>)>,
    slots: Arc<Semaphore>,
    tally: Arc<Mutex<Tally>>,
}

/// The reader's end.
#[derive(Debug)]
pub struct EventReader(mpsc::UnboundedReceiver<(Event, Option<OwnedSemaphorePermit>)>);

/// What a turn came to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Served models, in order of first use.
    pub models: Vec<String>,
    pub usage: Usage,
    pub cost: NanoDollars,
    /// The answer: what the harness emitted as messages since its last tool call.
    pub answer: Vec<Part>,
    bytes: usize,
    interrupted: bool,
}

/// A stream for one session.
pub fn events() -> (Events, EventReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let slots = Arc::new(Semaphore::new(EVENT_QUEUE));
    (Events { sender, slots, tally: Arc::default() }, EventReader(receiver))
}

impl Events {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports for the host: never waits.
    pub fn host(&self, event: Event) {
        self.tally().see(&event);
        // A closed stream means that nobody watches; the work goes on all the same.
        let _ = self.sender.send((event, None));
    }

    /// Reports for the guest: waits while too many of its events are unread. Cancel-safe.
    pub async fn guest(&self, event: HarnessEvent) {
        let slot = self.slots.clone().acquire_owned().await.ok();
        self.guest_now(event, slot);
    }

    /// The same without waiting, for a guest that winds down after a cancellation.
    pub(crate) fn guest_now(&self, event: HarnessEvent, slot: Option<OwnedSemaphorePermit>) {
        let event = Event::Harness(event);
        self.tally().see(&event);
        let _ = self.sender.send((event, slot));
    }

    /// Takes the tally and starts a new one.
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut *self.tally())
    }
}

impl EventReader {
    /// The next event; `None` when every writer is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await.map(|(event, _slot)| event)
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok().map(|(event, _slot)| event)
    }
}

impl Tally {
    fn see(&mut self, event: &Event) {
        match event {
            Event::StepFinished { model, usage, cost, .. } => {
                if !self.models.contains(model) {
                    self.models.push(model.clone());
                }
                self.usage = self.usage.plus(*usage);
                self.cost = self.cost.saturating_add(*cost);
            }
            Event::Harness(HarnessEvent::Call(_)) => self.interrupted = true,
            Event::Harness(HarnessEvent::Message { part }) => self.add(part),
            _ => {}
        }
    }

    fn add(&mut self, part: &Part) {
        if std::mem::take(&mut self.interrupted) {
            self.answer.clear();
            self.bytes = 0;
        }
        if self.bytes + part.size() > ANSWER_MAX_BYTES {
            if self.bytes < ANSWER_MAX_BYTES {
                self.bytes = ANSWER_MAX_BYTES;
                self.answer.push(Part::text("\n[cut]"));
            }
            return;
        }
        self.bytes += part.size();
        match (self.answer.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(more),
            _ => self.answer.push(part.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn message(text: &str) -> HarnessEvent {
        HarnessEvent::Message { part: Part::text(text) }
    }

    #[test]
    fn a_guest_waits_for_its_reader_and_the_host_does_not() {
        let (events, mut reader) = events();
        for _ in 0..EVENT_QUEUE {
            assert!(events.guest(message("x")).now_or_never().is_some());
        }
        assert!(events.guest(message("x")).now_or_never().is_none());
        events.host(Event::Rollback { reason: String::new() });
        assert!(reader.try_next().is_some());
        assert!(events.guest(message("x")).now_or_never().is_some());
    }

    #[test]
    fn the_answer_is_what_follows_the_last_call() {
        let (events, _reader) = events();
        let call = domain::event::Call {
            id: "1".into(),
            tool: "read".into(),
            kind: domain::event::Kind::Read,
            title: String::new(),
            input: "{}".into(),
            locations: Vec::new(),
        };
        for event in
            [message("let me look"), HarnessEvent::Call(call), message("it is "), message("42")]
        {
            assert!(events.guest(event).now_or_never().is_some());
        }
        assert_eq!(events.take_tally().answer, [Part::text("it is 42")]);
        assert_eq!(events.take_tally(), Tally::default());
    }
}
