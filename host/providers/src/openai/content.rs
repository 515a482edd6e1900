//! A conversation in OpenAI's messages. Nothing is dropped without a word: what the format cannot
//! carry becomes a line of text that names it.

use domain::chat::{AssistantPart, Message, ToolResult};
use domain::content::{Blob, Part};
use serde_json::{Value, json};

use super::config::{CallSignatures, ThinkingField};
use super::request::Format;
use crate::endpoint::{blob_text, link_text};

pub(super) fn messages(system: Option<&str>, history: &[Message], format: &Format) -> Vec<Value> {
    let mut messages = Vec::with_capacity(history.len() + 1);
    if let Some(system) = system {
        messages.push(json!({"role": "system", "content": system}));
    }
    let mut images = Vec::new();
    for (at, message) in history.iter().enumerate() {
        // Results of one step must follow each other, so their images wait for the end of the run.
        if !matches!(message, Message::Tool(_)) {
            flush(&mut images, &mut messages);
        }
        match message {
            Message::User(parts) => {
                messages.push(json!({"role": "user", "content": user_content(parts)}));
            }
            Message::Assistant(parts) => {
                let mut message = assistant(parts, format);
                if format.thinking == ThinkingField::ReasoningContent
                    && turn_calls_tools(history, at)
                {
                    message["reasoning_content"] = json!(thoughts(parts));
                }
                messages.push(message);
            }
            Message::Tool(result) => messages.push(tool(result, &mut images)),
        }
    }
    flush(&mut images, &mut messages);
    messages
}

/// Images of tool results, which only a user message can carry.
fn flush(images: &mut Vec<Value>, messages: &mut Vec<Value>) {
    if !images.is_empty() {
        messages.push(json!({"role": "user", "content": std::mem::take(images)}));
    }
}

/// One text goes as a plain string: every server takes that, not every one takes parts.
fn user_content(parts: &[Part]) -> Value {
    match parts {
        [] => json!(""),
        [Part::Text(text)] => json!(text),
        parts => parts.iter().map(user_part).collect(),
    }
}

fn user_part(part: &Part) -> Value {
    match part {
        Part::Text(text) => text_part(text),
        Part::Link(link) => text_part(&link_text(link)),
        Part::Blob(blob) => blob_part(blob),
    }
}

fn text_part(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn blob_part(blob: &Blob) -> Value {
    match blob.mime.as_str() {
        mime if mime.starts_with("image/") => {
            json!({"type": "image_url", "image_url": {"url": data_url(blob)}})
        }
        "audio/wav" | "audio/x-wav" => audio(blob, "wav"),
        "audio/mpeg" | "audio/mp3" => audio(blob, "mp3"),
        "application/pdf" => json!({
            "type": "file",
            "file": {"filename": "document.pdf", "file_data": data_url(blob)},
        }),
        _ => text_part(&blob_text(blob)),
    }
}

fn audio(blob: &Blob, format: &str) -> Value {
    json!({"type": "input_audio", "input_audio": {"data": blob.base64(), "format": format}})
}

fn data_url(blob: &Blob) -> String {
    format!("data:{};base64,{}", blob.mime, blob.base64())
}

/// Whether the turn around a message, from one user message to the next, holds a tool call.
fn turn_calls_tools(history: &[Message], at: usize) -> bool {
    let is_user = |message: &&Message| matches!(message, Message::User(_));
    let before = history.iter().take(at).rev().take_while(|m| !is_user(m));
    let after = history.iter().skip(at).take_while(|m| !is_user(m));
    let calls = |message: &Message| match message {
        Message::Assistant(parts) => {
            parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)))
        }
        Message::User(_) | Message::Tool(_) => false,
    };
    before.chain(after).any(calls)
}

fn thoughts(parts: &[AssistantPart]) -> String {
    let thoughts = parts.iter().filter_map(|part| match part {
        AssistantPart::Thinking(thinking) => Some(thinking.text.as_str()),
        AssistantPart::Text(_) | AssistantPart::ToolCall(_) => None,
    });
    thoughts.collect()
}

fn assistant(parts: &[AssistantPart], format: &Format) -> Value {
    let (mut text, mut calls) = (String::new(), Vec::new());
    for part in parts {
        match part {
            AssistantPart::Text(t) => text.push_str(t),
            AssistantPart::Thinking(_) => {}
            AssistantPart::ToolCall(call) => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                let mut wire = json!({
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments},
                });
                if let (CallSignatures::Google, Some(signature)) =
                    (format.call_signatures, &call.signature)
                {
                    wire["extra_content"] = json!({"google": {"thought_signature": signature}});
                }
                calls.push(wire);
            }
        }
    }
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { json!(text) };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    message
}

/// The text of a result; its images are put aside, each after a line that says whose it is.
fn tool(result: &ToolResult, images: &mut Vec<Value>) -> Value {
    let mut lines: Vec<String> = Vec::new();
    for part in &result.content {
        match part {
            Part::Text(text) => lines.push(text.clone()),
            Part::Link(link) => lines.push(link_text(link)),
            Part::Blob(blob) if blob.mime.starts_with("image/") => {
                lines.push("[an image, shown in the next user message]".to_owned());
                images.push(text_part(&format!("The image of tool call {}:", result.call_id)));
                images.push(blob_part(blob));
            }
            Part::Blob(blob) => lines.push(blob_text(blob)),
        }
    }
    let mut content = lines.join("\n");
    // The format has no mark for failure, so an empty one would read as success.
    if result.failed && content.is_empty() {
        content.push_str("the tool failed");
    }
    json!({"role": "tool", "tool_call_id": result.call_id, "content": content})
}
