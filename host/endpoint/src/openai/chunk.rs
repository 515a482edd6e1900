//! An answer as chunks of a stream.

use domain::chat::{Delta, Outcome, Usage};
use serde_json::{Value, json};

use super::answer::{finish_reason, usage};
use crate::call::Started;
use crate::error::Refusal;
use crate::family::Family;
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
    pub fn new(include_usage: bool) -> Self {
        Self {
            id: super::answer::id(),
            created: now_seconds(),
            model: String::new(),
            include_usage,
        }
    }

    fn chunk(&self, choices: &Value, counted: Option<&Usage>, out: &mut String) {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "choices": choices,
        });
        if self.include_usage {
            // Null in every chunk but the last, as the API says.
            chunk["usage"] = counted.map_or(Value::Null, usage);
        }
        event(&chunk, out);
    }

    fn piece(&self, delta: &Value, finish: Option<&str>, out: &mut String) {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        self.chunk(&json!([choice]), None, out);
    }

    fn call(&self, call: &Value, out: &mut String) {
        self.piece(&json!({"tool_calls": [call]}), None, out);
    }
}

fn event(data: &Value, out: &mut String) {
    out.push_str("data: ");
    out.push_str(&data.to_string());
    out.push_str("\n\n");
}

impl Writer for Chunks {
    fn begin(&mut self, started: &Started, out: &mut String) {
        self.model.clone_from(&started.model);
        self.piece(&json!({"role": "assistant", "content": ""}), None, out);
    }

    fn delta(&mut self, delta: Delta, out: &mut String) {
        match delta {
            Delta::Text(text) => self.piece(&json!({"content": text}), None, out),
            Delta::Thinking(text) => self.piece(&json!({"reasoning_content": text}), None, out),
            Delta::ToolCallStart { index, id, name } => self.call(
                &json!({"index": index, "id": id, "type": "function",
                    "function": {"name": name, "arguments": ""}}),
                out,
            ),
            Delta::ToolCallArguments { index, fragment } => {
                self.call(&json!({"index": index, "function": {"arguments": fragment}}), out);
            }
            Delta::ToolCallSignature { index, signature } => self.call(
                &json!({"index": index,
                    "extra_content": {"google": {"thought_signature": signature}}}),
                out,
            ),
            // The format has no place for it: what such a model thought is not sent back to it.
            Delta::ThinkingSignature(_) => {}
            Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_) => {}
        }
    }

    fn finished(&mut self, outcome: &Outcome, out: &mut String) {
        self.model.clone_from(&outcome.model);
        self.piece(&json!({}), Some(finish_reason(outcome.finish)), out);
        if self.include_usage {
            self.chunk(&json!([]), Some(&outcome.usage), out);
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
