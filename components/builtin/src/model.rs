//! One call of a model, streamed, while the user's input is heeded.

use crate::answer::Answer;
use crate::events;
use crate::input::Inbox;
use crate::xpressclaw::llm::chat;
use crate::xpressclaw::llm::types::{Error, Event, Outcome, Request};

/// Whether the user watches the answer arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Yes,
    No,
}

/// Runs `request` to its end. What arrived is in `answer`, also after an error. A cancelled turn is
/// the error `cancelled`, and the completion is dropped, which ends it at the provider, too.
pub fn ask(
    request: &Request,
    inbox: &mut Inbox,
    shown: Shown,
    answer: &mut Answer,
) -> Result<Outcome, Error> {
    let completion = chat::complete(request)?;
    let ready = completion.ready();
    loop {
        if inbox.wait(&[&ready]).is_empty() {
            return Err(Error::Cancelled);
        }
        for event in completion.next()? {
            if shown == Shown::Yes {
                show(&event);
            }
            if let Some(outcome) = answer.take(event) {
                return Ok(outcome);
            }
        }
    }
}

fn show(event: &Event) {
    match event {
        Event::Text(piece) => events::message(piece.clone()),
        Event::Thinking(piece) => events::thought(piece.clone()),
        _ => {}
    }
}
