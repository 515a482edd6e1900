#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::*;
use crate::xpressclaw::base::content::Link;
use crate::xpressclaw::llm::types::{Thinking, Tool, ToolCall, ToolChoice, ToolResult};

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\"MII\\E\"\n-----END PRIVATE KEY-----";

/// A request with a secret in everything that a model may read.
fn request() -> Request {
    let said = |what: &str| format!("{what} {TOKEN}");
    let call = |arguments: String| {
        AssistantPart::ToolCall(ToolCall {
            id: "c".to_owned(),
            name: "write".to_owned(),
            arguments,
            signature: None,
        })
    };
    let blob =
        |mime: &str, data: &[u8]| Part::Blob(Blob { mime: mime.to_owned(), data: data.to_vec() });
    Request {
        model: None,
        system: Some(said("system")),
        messages: vec![
            Message::User(vec![
                Part::Text(said("user")),
                Part::Link(Link {
                    uri: format!("https://x/?t={TOKEN}"),
                    mime: None,
                    title: Some(said("title")),
                }),
                blob("text/plain", said("blob").as_bytes()),
                blob("image/png", &[0x89, 0xff, 0x00]),
            ]),
            Message::Assistant(vec![
                AssistantPart::Text(said("assistant")),
                AssistantPart::Thinking(Thinking { text: said("thinking"), signature: None }),
                call(serde_json::json!({"key": KEY, "n": 1, "password": "pa55word99"}).to_string()),
                call(format!("{{\"cut\": \"{TOKEN}")),
            ]),
            Message::Tool(ToolResult {
                call_id: "c".to_owned(),
                content: vec![Part::Text(format!("result {TOKEN} {KEY} pa55word99"))],
                failed: false,
            }),
        ],
        tools: vec![Tool {
            name: "write".to_owned(),
            description: said("tool"),
            parameters: format!("{{\"description\": \"{}\"}}", said("schema")),
        }],
        tool_choice: ToolChoice::Auto,
        max_output_tokens: None,
        temperature: None,
        effort: None,
        output_schema: Some(format!("{{\"default\": \"{TOKEN}\"}}")),
        stop: vec![said("stop")],
        extra: Some(format!("{{\"user\": \"{TOKEN}\"}}")),
    }
}

#[test]
fn nothing_that_a_model_reads_keeps_a_secret() {
    let mut redacted = request();
    let mut vault = Vault::default();
    redact(&mut redacted, &Finder::new().unwrap(), &mut vault);
    let shown = format!("{redacted:?}");
    for secret in [TOKEN, "PRIVATE KEY", "MII", "pa55word99"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let count = |text: &str| shown.matches(text).count();
    // One text blob is shown as numbers.
    assert_eq!(count("[redacted:github-token:1]"), 13);
    assert_eq!(count("[redacted:private-key:1]"), 2);
    assert_eq!(count("[redacted:password:1]"), 2);
    let Message::User(parts) = &redacted.messages[0] else { unreachable!() };
    let Part::Blob(text) = &parts[2] else { unreachable!() };
    assert_eq!(text.data, b"blob [redacted:github-token:1]");
    let Part::Blob(image) = &parts[3] else { unreachable!() };
    assert_eq!(image.data, [0x89, 0xff, 0x00]);
    let Message::Assistant(parts) = &redacted.messages[1] else { unreachable!() };
    let AssistantPart::ToolCall(call) = &parts[2] else { unreachable!() };
    assert_eq!(
        call.arguments,
        r#"{"key":"[redacted:private-key:1]","n":1,"password":"[redacted:password:1]"}"#
    );
}

#[test]
fn what_holds_no_secret_stays_byte_for_byte() {
    let mut plain = request();
    plain.system = Some("You are helpful.".to_owned());
    plain.messages = vec![Message::User(vec![Part::Text("Hello: [x]".to_owned())])];
    plain.tools[0].description = "Writes a file; `password` is a string".to_owned();
    plain.tools[0].parameters = "{ \"type\" : \"object\",\"a\":1.0 }".to_owned();
    (plain.output_schema, plain.extra) = (None, Some("{ \"seed\": 7 }".to_owned()));
    plain.stop = Vec::new();
    let before = format!("{plain:?}");
    redact(&mut plain, &Finder::new().unwrap(), &mut Vault::default());
    assert_eq!(format!("{plain:?}"), before);
}
