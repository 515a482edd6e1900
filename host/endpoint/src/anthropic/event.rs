//! An answer as the events of a stream: blocks, one after the other.

use domain::chat::{Delta, Outcome};
use serde_json::{Value, json};

use super::answer::{id, stop_reason, usage};
use crate::call::Started;
use crate::error::Refusal;
use crate::family::Family;
use crate::request_id::RequestId;
use crate::sse::Writer;

pub(crate) struct Events {
    id: String,
    /// The number of the next block.
    next: u32,
    open: Open,
    /// What came while a call was written, in its order: other blocks follow when that one is whole,
    /// which is known at the end alone.
    waiting: Vec<Delta>,
}

#[derive(PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thinking,
    /// The call of this index.
    Call(u32),
}

impl Events {
    pub fn new(request: &RequestId) -> Self {
        Self { id: id(request), next: 0, open: Open::Nothing, waiting: Vec::new() }
    }

    fn open(&mut self, open: Open, block: &Value, out: &mut String) {
        self.close(out);
        self.open = open;
        let start = json!({
            "type": "content_block_start", "index": self.next, "content_block": block,
        });
        event(&start, out);
    }

    fn close(&mut self, out: &mut String) {
        if self.open != Open::Nothing {
            event(&json!({"type": "content_block_stop", "index": self.next}), out);
            self.open = Open::Nothing;
            self.next += 1;
        }
    }

    fn piece(&self, delta: &Value, out: &mut String) {
        event(&json!({"type": "content_block_delta", "index": self.next, "delta": delta}), out);
    }

    fn think(&mut self, out: &mut String) {
        if self.open != Open::Thinking {
            let block = json!({"type": "thinking", "thinking": "", "signature": ""});
            self.open(Open::Thinking, &block, out);
        }
    }

    fn call(&mut self, index: u32, id: &str, name: &str, out: &mut String) {
        let block = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        self.open(Open::Call(index), &block, out);
    }

    fn arguments(&self, fragment: &str, out: &mut String) {
        self.piece(&json!({"type": "input_json_delta", "partial_json": fragment}), out);
    }
}

fn event(data: &Value, out: &mut String) {
    let name = data["type"].as_str().unwrap_or("error");
    out.push_str(&format!("event: {name}\ndata: {data}\n\n"));
}

impl Writer for Events {
    fn begin(&mut self, started: &Started, out: &mut String) {
        let message = json!({
            "id": self.id, "type": "message", "role": "assistant", "model": started.model,
            "content": [], "stop_reason": null, "stop_sequence": null,
            // Counted at the end, where the client adds it up.
            "usage": {"input_tokens": 0, "output_tokens": 0},
        });
        event(&json!({"type": "message_start", "message": message}), out);
    }

    fn delta(&mut self, delta: Delta, out: &mut String) {
        if let Open::Call(open) = self.open
            && !matches!(delta, Delta::ToolCallArguments { index, .. } if index == open)
        {
            return self.waiting.push(delta);
        }
        match delta {
            Delta::Text(text) => {
                if self.open != Open::Text {
                    self.open(Open::Text, &json!({"type": "text", "text": ""}), out);
                }
                self.piece(&json!({"type": "text_delta", "text": text}), out);
            }
            Delta::Thinking(text) => {
                self.think(out);
                self.piece(&json!({"type": "thinking_delta", "thinking": text}), out);
            }
            Delta::ThinkingSignature(signature) => {
                self.think(out);
                self.piece(&json!({"type": "signature_delta", "signature": signature}), out);
                self.close(out);
            }
            Delta::ToolCallStart { index, id, name } => self.call(index, &id, &name, out),
            Delta::ToolCallArguments { index, fragment } => {
                // Arguments of a call that never began belong nowhere.
                if self.open == Open::Call(index) {
                    self.arguments(&fragment, out);
                }
            }
            // The format has no place for it.
            Delta::ToolCallSignature { .. } => {}
            Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_) => {}
        }
    }

    fn finished(&mut self, outcome: &Outcome, out: &mut String) {
        // Each round writes the first that waits, and a call with all that is its own.
        while !self.waiting.is_empty() {
            self.close(out);
            for delta in std::mem::take(&mut self.waiting) {
                self.delta(delta, out);
            }
        }
        self.close(out);
        let delta = json!({"stop_reason": stop_reason(outcome.finish), "stop_sequence": null});
        let usage = usage(&outcome.usage);
        event(&json!({"type": "message_delta", "delta": delta, "usage": usage}), out);
        event(&json!({"type": "message_stop"}), out);
    }

    fn failed(&mut self, refusal: &Refusal, out: &mut String) {
        // It is the end of a stream in this format.
        event(&refusal.envelope(Family::Anthropic), out);
    }

    fn alive(&self) -> &'static str {
        "event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }
}
