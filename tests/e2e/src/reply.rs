//! Answers in the format of Anthropic's streamed messages.

use serde_json::{Value, json};

/// Bytes of a tool's input in one event: small enough that every call comes in several.
const FRAGMENT: usize = 7;

/// The events of one streamed message, in order.
pub struct Reply {
    input: Value,
    events: Vec<Value>,
    blocks: usize,
    calls: usize,
    output: u64,
}

impl Reply {
    /// Tokens of input: not cached, written to the cache, read from it.
    pub fn to(plain: u64, written: u64, read: u64) -> Self {
        let input = json!({
            "input_tokens": plain,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": 1,
        });
        Self { input, events: Vec::new(), blocks: 0, calls: 0, output: 0 }
    }

    /// Thinking with its signature; without a text, the kind that the provider does not show.
    pub fn think(self, text: &str, signature: &str) -> Self {
        let thought = json!({"type": "thinking_delta", "thinking": text});
        let signature = json!({"type": "signature_delta", "signature": signature});
        let pieces = if text.is_empty() { vec![signature] } else { vec![thought, signature] };
        self.block(json!({"type": "thinking", "thinking": "", "signature": ""}), pieces)
    }

    pub fn redacted(self, data: &str) -> Self {
        self.block(json!({"type": "redacted_thinking", "data": data}), vec![])
    }

    /// Text, word by word.
    pub fn say(self, text: &str) -> Self {
        let words = text.split_inclusive(' ');
        let pieces = words.map(|word| json!({"type": "text_delta", "text": word})).collect();
        self.block(json!({"type": "text", "text": ""}), pieces)
    }

    pub fn call(mut self, id: &str, name: &str, input: &Value) -> Self {
        self.calls += 1;
        let characters: Vec<char> = input.to_string().chars().collect();
        let pieces = characters.chunks(FRAGMENT).map(|piece| {
            let piece: String = piece.iter().collect();
            json!({"type": "input_json_delta", "partial_json": piece})
        });
        let pieces = pieces.collect();
        self.block(json!({"type": "tool_use", "id": id, "name": name, "input": {}}), pieces)
    }

    /// Tokens of the whole answer.
    pub fn output(mut self, tokens: u64) -> Self {
        self.output = tokens;
        self
    }

    fn block(mut self, block: Value, pieces: Vec<Value>) -> Self {
        let index = self.blocks;
        self.blocks += 1;
        self.events.push(json!({
            "type": "content_block_start", "index": index, "content_block": block,
        }));
        self.events.extend(
            pieces.into_iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        self.events.push(json!({"type": "content_block_stop", "index": index}));
        self
    }

    /// The events without an end.
    pub fn unfinished(&self) -> Vec<Value> {
        let start = json!({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": self.input,
        }});
        [vec![start, json!({"type": "ping"})], self.events.clone()].concat()
    }

    /// All events: content, reason and usage, the end.
    pub fn finished(&self) -> Vec<Value> {
        let reason = if self.calls > 0 { "tool_use" } else { "end_turn" };
        let end = json!({
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": self.output},
        });
        [self.unfinished(), vec![end, json!({"type": "message_stop"})]].concat()
    }
}
