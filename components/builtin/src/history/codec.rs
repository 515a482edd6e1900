//! A message as a line of JSON and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::xpressclaw::base::content::{Blob, Link, Part};
use crate::xpressclaw::llm::types::{AssistantPart, Message, Thinking, ToolCall, ToolResult};

/// With its end of line.
pub fn line(message: &Message) -> String {
    let value = match message {
        Message::User(content) => json!({"user": parts(content)}),
        Message::Assistant(said) => {
            json!({"assistant": said.iter().map(said_part).collect::<Vec<_>>()})
        }
        Message::Tool(ToolResult { call_id, content, failed }) => {
            json!({"tool": {"id": call_id, "content": parts(content), "failed": failed}})
        }
    };
    format!("{value}\n")
}

/// `None` for what this version does not know.
pub fn message(line: &str) -> Option<Message> {
    let (kind, value) = single(serde_json::from_str(line).ok()?)?;
    match kind.as_str() {
        "user" => Some(Message::User(list(&value, read_part)?)),
        "assistant" => Some(Message::Assistant(list(&value, read_said)?)),
        "tool" => Some(Message::Tool(ToolResult {
            call_id: text(&value, "id")?,
            content: list(value.get("content")?, read_part)?,
            failed: value.get("failed")?.as_bool()?,
        })),
        _ => None,
    }
}

fn parts(parts: &[Part]) -> Value {
    parts.iter().map(part).collect()
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"text": text}),
        Part::Blob(Blob { mime, data }) => {
            json!({"blob": {"mime": mime, "data": STANDARD.encode(data)}})
        }
        Part::Link(Link { uri, mime, title }) => {
            json!({"link": {"uri": uri, "mime": mime, "title": title}})
        }
    }
}

fn said_part(part: &AssistantPart) -> Value {
    match part {
        AssistantPart::Text(text) => json!({"text": text}),
        AssistantPart::Thinking(Thinking { text, signature }) => {
            json!({"thinking": {"text": text, "signature": signature}})
        }
        AssistantPart::ToolCall(ToolCall { id, name, arguments, signature }) => json!({
            "call": {"id": id, "name": name, "arguments": arguments, "signature": signature}
        }),
    }
}

fn read_part(value: &Value) -> Option<Part> {
    let (kind, value) = single(value.clone())?;
    match kind.as_str() {
        "text" => Some(Part::Text(value.as_str()?.to_owned())),
        "blob" => Some(Part::Blob(Blob {
            mime: text(&value, "mime")?,
            data: STANDARD.decode(value.get("data")?.as_str()?).ok()?,
        })),
        "link" => Some(Part::Link(Link {
            uri: text(&value, "uri")?,
            mime: text(&value, "mime"),
            title: text(&value, "title"),
        })),
        _ => None,
    }
}

fn read_said(value: &Value) -> Option<AssistantPart> {
    let (kind, value) = single(value.clone())?;
    match kind.as_str() {
        "text" => Some(AssistantPart::Text(value.as_str()?.to_owned())),
        "thinking" => Some(AssistantPart::Thinking(Thinking {
            text: text(&value, "text")?,
            signature: text(&value, "signature"),
        })),
        "call" => Some(AssistantPart::ToolCall(ToolCall {
            id: text(&value, "id")?,
            name: text(&value, "name")?,
            arguments: text(&value, "arguments")?,
            signature: text(&value, "signature"),
        })),
        _ => None,
    }
}

/// The one entry of an object.
fn single(value: Value) -> Option<(String, Value)> {
    let Value::Object(object) = value else { return None };
    let mut entries = Map::into_iter(object);
    let entry = entries.next()?;
    entries.next().is_none().then_some(entry)
}

fn list<T>(value: &Value, read: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message_: &Message, expected: &str) {
        let written = line(message_);
        // As values: the order of keys is that of whoever built serde_json.
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(value(&written), value(expected));
        assert!(written.ends_with('\n') && written.matches('\n').count() == 1, "one line");
        let read = message(written.trim_end()).expect("a line that was written");
        assert_eq!(line(&read), written);
    }

    #[test]
    fn every_part_survives() {
        check(
            &Message::User(vec![
                Part::Text("a\n\"b\"".into()),
                Part::Blob(Blob { mime: "image/png".into(), data: vec![0, 255] }),
                Part::Link(Link { uri: "file:a".into(), mime: None, title: Some("t".into()) }),
            ]),
            r#"{"user":[{"text":"a\n\"b\""},{"blob":{"data":"AP8=","mime":"image/png"}},{"link":{"mime":null,"title":"t","uri":"file:a"}}]}"#,
        );
        check(
            &Message::Assistant(vec![
                AssistantPart::Thinking(Thinking {
                    text: "hm".into(),
                    signature: Some("s".into()),
                }),
                AssistantPart::Text("so".into()),
                AssistantPart::ToolCall(ToolCall {
                    id: "1".into(),
                    name: "read".into(),
                    arguments: "{}".into(),
                    signature: None,
                }),
            ]),
            r#"{"assistant":[{"thinking":{"signature":"s","text":"hm"}},{"text":"so"},{"call":{"arguments":"{}","id":"1","name":"read","signature":null}}]}"#,
        );
        check(
            &Message::Tool(ToolResult { call_id: "1".into(), content: vec![], failed: true }),
            r#"{"tool":{"content":[],"failed":true,"id":"1"}}"#,
        );
    }

    #[test]
    fn what_is_unknown_is_no_message() {
        for line in [
            "",
            "3",
            "{}",
            r#"{"user":[],"more":1}"#,
            r#"{"system":[]}"#,
            r#"{"user":[{"video":1}]}"#,
            r#"{"user":[{"blob":{"mime":"a","data":"%"}}]}"#,
        ] {
            assert!(message(line).is_none(), "{line}");
        }
    }
}
