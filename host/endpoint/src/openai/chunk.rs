//! An answer as chunks of a stream.

use domain::chat::{self, Outcome, Usage};
use serde::Serialize;

use super::wire::{Call, Chunk, Delta, Extra, Function, Part, finish_reason};
use crate::call::Started;
use crate::error::Refusal;
use crate::family::Family;
use crate::request_id::RequestId;
use crate::server::now_seconds;
use crate::sse::Writer;

const DONE: &str = "data: [DONE]\n\n";

pub(crate) struct Chunks {
    id: String,
    created: u64,
    model: String,
    /// Whether the client asked for it.
    include_usage: bool,
}

impl Chunks {
    pub fn new(request: &RequestId, include_usage: bool) -> Self {
        Self {
            id: super::answer::id(request),
            created: now_seconds(),
            model: String::new(),
            include_usage,
        }
    }

    fn chunk(&self, choices: &[Part<'_>], counted: Option<&Usage>, out: &mut String) {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage: self.include_usage.then(|| counted.map(Into::into)),
        };
        event(&chunk, out);
    }

    fn piece(&self, delta: Delta<'_>, finish_reason: Option<&'static str>, out: &mut String) {
        self.chunk(&[Part { index: 0, delta, logprobs: (), finish_reason }], None, out);
    }

    fn call(&self, call: Call<'_>, out: &mut String) {
        self.piece(Delta { tool_calls: Some([call]), ..Delta::default() }, None, out);
    }
}

fn event(data: &impl Serialize, out: &mut String) {
    out.push_str("data: ");
    // Nothing that is written here can fail: there are no maps, and writing to a string does not.
    out.push_str(&serde_json::to_string(data).unwrap_or_default());
    out.push_str("\n\n");
}

impl Writer for Chunks {
    fn begin(&mut self, started: &Started, out: &mut String) {
        self.model.clone_from(&started.model);
        let begin = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
        self.piece(begin, None, out);
    }

    fn delta(&mut self, delta: chat::Delta, out: &mut String) {
        match delta {
            chat::Delta::Text(text) => {
                self.piece(Delta { content: Some(&text), ..Delta::default() }, None, out);
            }
            chat::Delta::Thinking(text) => {
                self.piece(Delta { reasoning_content: Some(&text), ..Delta::default() }, None, out);
            }
            chat::Delta::ToolCallStart { index, id, name } => self.call(
                Call {
                    index: Some(index),
                    id: Some(&id),
                    kind: Some("function"),
                    function: Some(Function { name: Some(&name), arguments: "" }),
                    ..Call::default()
                },
                out,
            ),
            chat::Delta::ToolCallArguments { index, fragment } => {
                let function = Some(Function { name: None, arguments: &fragment });
                self.call(Call { index: Some(index), function, ..Call::default() }, out);
            }
            chat::Delta::ToolCallSignature { index, signature } => {
                let extra_content = Some(Extra::signature(&signature));
                self.call(Call { index: Some(index), extra_content, ..Call::default() }, out);
            }
            // The format has no place for it: what such a model thought is not sent back to it.
            chat::Delta::ThinkingSignature(_) => {}
            chat::Delta::Usage(_) | chat::Delta::Model(_) | chat::Delta::Finished(_) => {}
        }
    }

    fn finished(&mut self, outcome: &Outcome, out: &mut String) {
        self.model.clone_from(&outcome.model);
        self.piece(Delta::default(), Some(finish_reason(outcome.finish)), out);
        if self.include_usage {
            self.chunk(&[], Some(&outcome.usage), out);
        }
        out.push_str(DONE);
    }

    fn failed(&mut self, refusal: &Refusal, out: &mut String) {
        event(&refusal.envelope(Family::OpenAi), out);
        out.push_str(DONE);
    }

    fn alive(&self) -> &'static str {
        ": waiting\n\n"
    }
}
