//! The stream of events of a session, and the tally of a turn that is read off it.
//!
//! Two kinds of writer: the guest, which waits while too many of its events are unread, and the
//! host, which never waits (the pipeline reports from inside a stage). Order is one for both. What a
//! guest makes the host report, as often as it likes, counts as the guest's, or is begun only where
//! [`Events::room`] is left for what it will report.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::chat::Usage;
use domain::limits::EVENT_QUEUE;
use domain::{Event, HarnessEvent, NanoDollars, Part};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::cancel::Cancellation;
use crate::cut::{cut_text, size};

/// Bytes of an event that take a slot of their own: what waits for a reader is bounded by 256
/// slots, thus by 64 MiB, however large its events are.
const SLOT_BYTES: usize = 256 << 10;
/// Events of the host that wait for a reader before nothing that causes more is begun. A model call
/// reports two to a dozen, of a few hundred bytes: some megabytes in all.
const HOST_QUEUE: usize = 4 * EVENT_QUEUE;
/// Bytes of answer that are kept for the session's history; more is cut, and the cut is marked.
const ANSWER_MAX_BYTES: usize = 1 << 20;
/// What a part of the answer costs besides its bytes: a bound for floods of empty ones.
const PART_BYTES: usize = 16;

/// The writers' end. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::UnboundedSender<(Event, Option<OwnedSemaphorePermit>)>,
    slots: Arc<Semaphore>,
    /// For a guest that winds down: as many again, so that it need not wait for its reader.
    late: Arc<Semaphore>,
    /// For the host, which goes on without one.
    told: Arc<Semaphore>,
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
    let slots = || Arc::new(Semaphore::new(EVENT_QUEUE));
    let told = Arc::new(Semaphore::new(HOST_QUEUE));
    let events = Events { sender, slots: slots(), late: slots(), told, tally: Arc::default() };
    (events, EventReader(receiver))
}

impl Events {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports for the host: never waits.
    pub fn host(&self, event: Event) {
        self.tally().see(&event);
        let slot = self.told.clone().try_acquire_owned().ok();
        // A closed stream means that nobody watches; the work goes on all the same.
        let _ = self.sender.send((event, slot));
    }

    /// Waits while too many events of the host are unread. Whoever lets a guest begin something that
    /// the host will report asks here first, or a guest could make it report without end. Cancel-safe.
    pub async fn room(&self) {
        // Taken by what comes next; the semaphore is never closed.
        drop(self.told.acquire().await);
    }

    /// Reports for the guest, and waits while too many of its events are unread; a large event
    /// counts for several. A cancellation unblocks it.
    pub(crate) async fn guest(&self, event: HarnessEvent, cancellation: &Cancellation) {
        let bytes = size(&event);
        self.caused(Event::Harness(event), bytes, cancellation).await;
    }

    /// Reports what a guest made the host do, with the bytes of it that are the guest's. It waits as
    /// the guest's own events do.
    pub async fn caused(&self, event: Event, bytes: usize, cancellation: &Cancellation) {
        let slot = tokio::select! {
            biased;
            slot = slot(&self.slots, bytes) => slot,
            () = cancellation.interrupted() => slot(&self.late, bytes).await,
        };
        self.tally().see(&event);
        // As above.
        let _ = self.sender.send((event, slot));
    }

    /// Takes the tally and starts a new one.
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut *self.tally())
    }
}

/// Cancel-safe.
async fn slot(slots: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let wanted = bytes.div_ceil(SLOT_BYTES).clamp(1, EVENT_QUEUE);
    slots.clone().acquire_many_owned(u32::try_from(wanted).unwrap_or(1)).await.ok()
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
        let room = ANSWER_MAX_BYTES.saturating_sub(self.bytes);
        self.bytes = self.bytes.saturating_add(part.size()).saturating_add(PART_BYTES);
        let kept = match part {
            _ if room == 0 => return,
            part if part.size() <= room => part.clone(),
            Part::Text(text) => Part::Text(cut_text(text.clone(), room)),
            Part::Blob(_) | Part::Link(_) => Part::text("… [cut]"),
        };
        match (self.answer.last_mut(), kept) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, kept) => self.answer.push(kept),
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

    /// Whether there was room.
    fn emit(events: &Events, event: HarnessEvent) -> bool {
        events.guest(event, &Cancellation::default()).now_or_never().is_some()
    }

    #[test]
    fn a_guest_waits_for_its_reader_and_the_host_does_not() {
        let (events, mut reader) = events();
        for _ in 0..EVENT_QUEUE {
            assert!(emit(&events, message("x")));
        }
        assert!(!emit(&events, message("x")));
        events.host(Event::Rollback { reason: String::new() });
        assert!(reader.try_next().is_some());
        assert!(emit(&events, message("x")));
        assert!(!emit(&events, message("x")));
        // Nobody reads any more: nothing to wait for.
        drop(reader);
        assert!(emit(&events, message("x")));
    }

    #[test]
    fn what_a_guest_makes_the_host_report_waits_too() {
        let (events, mut reader) = events();
        let cancellation = Cancellation::default();
        let ask = || Event::Verb { verb: "memory.add".into(), summary: String::new() };
        let caused = || events.caused(ask(), 0, &cancellation).now_or_never().is_some();
        assert_eq!((0..2 * EVENT_QUEUE).filter(|_| caused()).count(), EVENT_QUEUE);
        assert!(!emit(&events, message("x")), "both have the same room");
        assert!(reader.try_next().is_some());
        assert!(caused());
    }

    #[test]
    fn nothing_more_is_begun_while_too_much_of_the_host_is_unread() {
        let (events, mut reader) = events();
        let tell = || events.host(Event::Rollback { reason: String::new() });
        let room = || events.room().now_or_never().is_some();
        (1..HOST_QUEUE).for_each(|_| tell());
        assert!(room());
        tell();
        assert!(!room());
        // What is under way reports all the same, and is counted no further.
        tell();
        assert!(emit(&events, message("x")), "a guest's own room is another");
        assert!(reader.try_next().is_some());
        assert!(room());
        tell();
        assert!(!room());
        drop(reader);
        assert!(room());
    }

    #[test]
    fn winding_down_waits_for_nobody_within_reason() {
        let (events, _reader) = events();
        let cancellation = Cancellation::default();
        let emit = || events.guest(message("x"), &cancellation).now_or_never().is_some();
        assert_eq!((0..2 * EVENT_QUEUE).filter(|_| emit()).count(), EVENT_QUEUE);
        cancellation.cancel();
        assert_eq!((0..2 * EVENT_QUEUE).filter(|_| emit()).count(), EVENT_QUEUE);
    }

    #[test]
    fn large_events_count_for_several() {
        let (events, mut reader) = events();
        let large = || message(&"x".repeat(SLOT_BYTES * EVENT_QUEUE / 2));
        assert!(emit(&events, large()));
        assert!(emit(&events, large()));
        assert!(!emit(&events, message("x")));
        assert!(reader.try_next().is_some());
        assert!(emit(&events, message("x")));
        // Larger than all slots together: it goes when it is alone.
        while reader.try_next().is_some() {}
        assert!(emit(&events, message(&"x".repeat(SLOT_BYTES * EVENT_QUEUE + 1))));
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
            assert!(emit(&events, event));
        }
        assert_eq!(events.take_tally().answer, [Part::text("it is 42")]);
        assert_eq!(events.take_tally(), Tally::default());
    }

    #[test]
    fn a_long_answer_keeps_its_beginning() {
        let (events, _reader) = events();
        assert!(emit(&events, message(&"x".repeat(ANSWER_MAX_BYTES + 1))));
        assert!(emit(&events, message("more")));
        let answer = events.take_tally().answer;
        let [Part::Text(text)] = answer.as_slice() else { panic!("{}", answer.len()) };
        assert_eq!(text.len(), ANSWER_MAX_BYTES);
        assert!(text.ends_with("x… [cut]"));
    }
}
