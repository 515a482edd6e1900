//! Answers in the format of streamed chat completions.

use serde_json::{Value, json};

/// Bytes of tool arguments in one chunk: small enough that every call comes in several.
const FRAGMENT: usize = 7;

/// The chunks of one streamed answer, in order.
#[derive(Default)]
pub struct Answer {
    chunks: Vec<Value>,
    calls: usize,
    usage: Option<Value>,
}

impl Answer {
    /// Text, word by word.
    pub fn text(text: &str) -> Self {
        Self::default().say(text)
    }

    pub fn say(mut self, text: &str) -> Self {
        self.chunks.extend(text.split_inclusive(' ').map(|word| delta(json!({"content": word}))));
        self
    }

    /// A tool call whose arguments come in fragments.
    pub fn call(mut self, id: &str, name: &str, arguments: &Value) -> Self {
        let index = self.calls;
        self.calls += 1;
        self.chunks.push(delta(json!({"tool_calls": [{
            "index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": ""},
        }]})));
        let arguments = arguments.to_string();
        let characters: Vec<char> = arguments.chars().collect();
        for piece in characters.chunks(FRAGMENT) {
            let piece: String = piece.iter().collect();
            self.chunks.push(delta(json!({"tool_calls": [{
                "index": index, "function": {"arguments": piece},
            }]})));
        }
        self
    }

    /// Tokens; `cached` is a part of `input`.
    pub fn usage(mut self, input: u64, cached: u64, output: u64) -> Self {
        self.usage = Some(json!({
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cached},
        }));
        self
    }

    /// The chunks without an end.
    pub fn unfinished(self) -> Vec<Value> {
        self.chunks
    }

    /// All chunks: content, finish reason, usage.
    pub fn finished(mut self) -> Vec<Value> {
        let reason = if self.calls > 0 { "tool_calls" } else { "stop" };
        self.chunks.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": reason}])));
        if let Some(usage) = self.usage {
            let mut last = chunk(json!([]));
            last["usage"] = usage;
            self.chunks.push(last);
        }
        self.chunks
    }
}

fn delta(delta: Value) -> Value {
    chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]))
}

fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": choices,
    })
}
