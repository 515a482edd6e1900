//! What a session reported, kept while it runs so that a scenario can wait for something in it.

use std::sync::Arc;

use domain::Event;
use domain::Part;
use domain::event::HarnessEvent;
use tokio::sync::watch;

/// Events of one session, in order. Clones are one record.
#[derive(Clone)]
pub struct Record(Arc<watch::Sender<Vec<Event>>>);

impl Record {
    /// Reads a session's events until it ends.
    pub fn of(mut events: impl EventSource) -> Self {
        let record = Self(Arc::new(watch::Sender::new(Vec::new())));
        let writer = record.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                writer.0.send_modify(|all| all.push(event));
            }
        });
        record
    }

    /// Forgets what was reported so far.
    pub fn clear(&self) {
        self.0.send_modify(Vec::clear);
    }

    pub fn events(&self) -> Vec<Event> {
        self.0.borrow().clone()
    }

    /// Resolves when the events are as `enough` wants them.
    pub async fn until(&self, enough: impl Fn(&[Event]) -> bool) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|events| enough(events)).await;
    }

    /// Resolves when the end of the turn was read.
    pub async fn over(&self) {
        let is_end =
            |event: &Event| matches!(event, Event::TurnFinished { .. } | Event::TurnFailed { .. });
        self.until(|events| events.iter().any(is_end)).await;
    }
}

/// Where events come from.
pub trait EventSource: Send + 'static {
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send;
}

impl EventSource for harness::EventReader {
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send {
        Self::next(self)
    }
}

/// The text that the harness showed as its answer.
pub fn shown(events: &[Event]) -> String {
    let text = |event: &Event| match event {
        Event::Harness(HarnessEvent::Message { part: Part::Text(text) }) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}
