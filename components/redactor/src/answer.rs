//! One answer of the model on its way to the harness.

use std::collections::BTreeMap;

use crate::restore::{Form, Restorer};
use crate::vault::Vault;
use crate::xpressclaw::llm::types::{Error, Event, ToolCallArguments};

/// The streams of one completion: the text, and the arguments of each call.
#[derive(Default)]
pub struct Answer {
    text: Restorer,
    calls: BTreeMap<u32, Restorer>,
    /// The error that ended it, while what was held back is handed out.
    failure: Option<Error>,
}

impl Answer {
    /// What the host's `next` gave, with originals in place of placeholders. Thinking stays as it
    /// is: its signature holds for the very text.
    pub fn restore(
        &mut self,
        arrived: Result<Vec<Event>, Error>,
        vault: &Vault,
    ) -> Result<Vec<Event>, Error> {
        let arrived = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                let mut rest = Vec::new();
                self.flush(&mut rest);
                if rest.is_empty() {
                    return Err(error);
                }
                self.failure = Some(error);
                return Ok(rest);
            }
        };
        let mut events = Vec::with_capacity(arrived.len());
        for event in arrived {
            match event {
                Event::Text(piece) => {
                    push(&mut events, self.text.push(&piece, Form::Plain, vault), Event::Text);
                }
                Event::ToolCallArguments(ToolCallArguments { index, fragment }) => {
                    self.flush_text(&mut events);
                    let call = self.calls.entry(index).or_default();
                    let fragment = call.push(&fragment, Form::Json, vault);
                    push(&mut events, fragment, |fragment| arguments(index, fragment));
                }
                Event::Finished(_) => {
                    self.flush(&mut events);
                    events.push(event);
                }
                other => {
                    self.flush_text(&mut events);
                    events.push(other);
                }
            }
        }
        Ok(events)
    }

    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    fn flush_text(&mut self, events: &mut Vec<Event>) {
        push(events, self.text.finish(), Event::Text);
    }

    fn flush(&mut self, events: &mut Vec<Event>) {
        self.flush_text(events);
        for (index, mut call) in std::mem::take(&mut self.calls) {
            push(events, call.finish(), |fragment| arguments(index, fragment));
        }
    }
}

fn arguments(index: u32, fragment: String) -> Event {
    Event::ToolCallArguments(ToolCallArguments { index, fragment })
}

fn push(events: &mut Vec<Event>, text: String, event: impl FnOnce(String) -> Event) {
    if !text.is_empty() {
        events.push(event(text));
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
