//! Anthropic's messages. Wire format: docs.anthropic.com/en/api/messages and …/messages-streaming.

mod answer;
mod event;
mod request;

pub(crate) use answer::{model, models, whole};
pub(crate) use event::Events;
pub(crate) use request::parse;
