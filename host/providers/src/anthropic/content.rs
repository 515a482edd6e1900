//! A conversation in Anthropic's messages: roles alternate, all results of one step stand in one
//! user message, thinking goes back as it came. Nothing is dropped without a word, but for thinking
//! of other providers, which no server could check.

use domain::chat::{AssistantPart, Message, Thinking, ToolResult};
use domain::content::{Blob, Part};
use serde_json::{Map, Value, json};

use super::mark::Proof;
use crate::endpoint::{blob_text, link_text};

/// Media types of images that the API takes.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// The API refuses an empty block of text, and a message without blocks.
const NOTHING: &str = "(empty)";

/// One message in the making.
pub(super) struct Turn {
    pub role: &'static str,
    pub blocks: Vec<Value>,
}

pub(super) fn messages(history: &[Message]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::with_capacity(history.len());
    for message in history {
        let (role, blocks) = match message {
            Message::User(parts) => ("user", parts.iter().filter_map(block).collect()),
            Message::Tool(result) => ("user", vec![tool_result(result)]),
            Message::Assistant(parts) => ("assistant", assistant(parts)),
        };
        match turns.last_mut() {
            // Consecutive messages of one role are one: a step's results belong together.
            Some(last) if last.role == role => last.blocks.extend(blocks),
            _ => turns.push(Turn { role, blocks }),
        }
    }
    for turn in turns.iter_mut().filter(|turn| turn.blocks.is_empty()) {
        turn.blocks.push(text(NOTHING));
    }
    turns
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn block(part: &Part) -> Option<Value> {
    match part {
        // White space alone is refused like an empty text.
        Part::Text(said) if said.trim().is_empty() => None,
        Part::Text(said) => Some(text(said)),
        Part::Link(link) => Some(text(&link_text(link))),
        Part::Blob(blob) => Some(blob_block(blob)),
    }
}

fn blob_block(blob: &Blob) -> Value {
    let source = json!({"type": "base64", "media_type": blob.mime, "data": blob.base64()});
    match blob.mime.as_str() {
        mime if IMAGES.contains(&mime) => json!({"type": "image", "source": source}),
        "application/pdf" => json!({"type": "document", "source": source}),
        _ => text(&blob_text(blob)),
    }
}

fn tool_result(result: &ToolResult) -> Value {
    let content: Vec<Value> = result.content.iter().filter_map(block).collect();
    let mut block = json!({"type": "tool_result", "tool_use_id": wire_id(&result.call_id)});
    if !content.is_empty() {
        block["content"] = json!(content);
    }
    if result.failed {
        block["is_error"] = json!(true);
    }
    block
}

fn assistant(parts: &[AssistantPart]) -> Vec<Value> {
    let blocks = parts.iter().filter_map(|part| match part {
        AssistantPart::Text(said) if said.trim().is_empty() => None,
        AssistantPart::Text(said) => Some(text(said)),
        AssistantPart::Thinking(thinking) => thought(thinking),
        AssistantPart::ToolCall(call) => Some(json!({
            "type": "tool_use",
            "id": wire_id(&call.id),
            "name": call.name,
            "input": object(&call.arguments),
        })),
    });
    blocks.collect()
}

/// An id of the characters that the API allows: other providers' ids have more.
fn wire_id(id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut wire = String::new();
    for character in id.chars() {
        if allowed(character) {
            wire.push(character);
        } else {
            // The number keeps ids apart that differ in such a character only.
            wire.push_str(&format!("_{:x}_", u32::from(character)));
        }
    }
    wire
}

fn thought(thinking: &Thinking) -> Option<Value> {
    match Proof::read(thinking.signature.as_deref()?)? {
        Proof::Signature(signature) => {
            Some(json!({"type": "thinking", "thinking": thinking.text, "signature": signature}))
        }
        Proof::Redacted(data) => Some(json!({"type": "redacted_thinking", "data": data})),
    }
}

/// Arguments as an object, the only thing that the API takes. What a model wrote otherwise was
/// refused by its tool, whose result follows; it is kept for the model to see.
fn object(arguments: &str) -> Map<String, Value> {
    if arguments.trim().is_empty() {
        return Map::new();
    }
    match serde_json::from_str(arguments) {
        Ok(Value::Object(object)) => object,
        _ => Map::from_iter([("invalid_arguments".to_owned(), json!(arguments))]),
    }
}

/// Whether a turn of the assistant that called tools begins with thinking of its own, without which
/// a request that budgets thinking is refused.
pub(super) fn thinks_before_tools(turns: &[Turn]) -> bool {
    let is = |block: &Value, kinds: &[&str]| kinds.iter().any(|kind| block["type"] == *kind);
    let last = turns.iter().rfind(|turn| turn.role == "assistant");
    last.is_none_or(|turn| {
        let calls = turn.blocks.iter().any(|block| is(block, &["tool_use"]));
        let first = turn.blocks.first();
        !calls || first.is_some_and(|block| is(block, &["thinking", "redacted_thinking"]))
    })
}
