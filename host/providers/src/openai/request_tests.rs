use super::*;
use domain::SessionId;
use domain::chat::{AssistantPart, Message, Request, Thinking, Tool, ToolCall, ToolResult};
use domain::content::{Blob, Link, Part};

const FORMAT: Format = Format {
    output_limit: OutputLimit::MaxCompletionTokens,
    thinking: ThinkingField::Dropped,
    call_signatures: CallSignatures::Dropped,
    usage: UsageRequest::StreamOptions,
};

fn call(request: Request) -> Call {
    Call {
        request,
        model: "gpt-5-mini".into(),
        max_output_tokens: 700,
        session: SessionId::new("s").unwrap(),
    }
}

fn thinking_model() -> ModelFacts {
    ModelFacts {
        efforts: vec![Effort::Low, Effort::Medium, Effort::High],
        ..ModelFacts::assumed("gpt-5-mini")
    }
}

fn blob(mime: &str, data: &[u8]) -> Part {
    Part::Blob(Blob { mime: mime.into(), data: data.into() })
}

fn result(call_id: &str, content: Vec<Part>) -> Message {
    Message::Tool(ToolResult { call_id: call_id.into(), content, failed: false })
}

fn tool_call(id: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.into(),
        name: "read".into(),
        arguments: arguments.into(),
        signature: None,
    })
}

fn full() -> Request {
    let schema = json!({
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    });
    let extra = json!({"top_p": 0.5, "seed": 7});
    Request {
        model: None,
        system: Some("Be brief.".into()),
        messages: vec![
            Message::User(vec![
                Part::text("What is this?"),
                blob("image/png", &[1, 2, 3]),
                Part::Link(Link {
                    uri: "https://example.com/a".into(),
                    mime: None,
                    title: Some("a".into()),
                }),
                blob("application/pdf", b"%PDF"),
                blob("audio/wav", b"RIFF"),
                blob("text/csv", b"a,b"),
                blob("application/zip", b"PK"),
            ]),
            Message::Assistant(vec![
                AssistantPart::Thinking(Thinking { text: "hm".into(), signature: None }),
                AssistantPart::Text("Let me ".into()),
                AssistantPart::Text("look.".into()),
                tool_call("c1", r#"{"path":"a"}"#),
                tool_call("c2", ""),
            ]),
            result("c1", vec![Part::text("seen"), blob("image/jpeg", &[9])]),
            result("c2", vec![Part::text("two"), Part::text("lines")]),
            Message::User(vec![Part::text("Go on.")]),
        ],
        tools: vec![Tool {
            name: "read".into(),
            description: "Reads a file.".into(),
            parameters: schema.clone(),
        }],
        tool_choice: ToolChoice::Named("read".into()),
        max_output_tokens: Some(9_999),
        temperature: Some(0.25),
        effort: Some(Effort::Max),
        output_schema: Some(schema),
        stop: vec!["END".into()],
        extra: extra.as_object().cloned().unwrap_or_default(),
    }
}

#[test]
fn a_full_request() {
    let parameters = json!({
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    });
    let expected = json!({
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID"}},
                {"type": "text", "text": "[a](https://example.com/a)"},
                {"type": "file", "file": {
                    "filename": "document.pdf",
                    "file_data": "data:application/pdf;base64,JVBERg==",
                }},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "text", "text": "a,b"},
                {"type": "text", "text": "[application/zip, 2 bytes, not shown]"},
            ]},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [
                {"id": "c1", "type": "function",
                    "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}},
                {"id": "c2", "type": "function",
                    "function": {"name": "read", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1",
                "content": "seen\n[an image, shown in the next user message]"},
            {"role": "tool", "tool_call_id": "c2", "content": "two\nlines"},
            {"role": "user", "content": [
                {"type": "text", "text": "The image of tool call c1:"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,CQ=="}},
            ]},
            {"role": "user", "content": "Go on."},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_completion_tokens": 700,
        "tools": [{"type": "function", "function": {
            "name": "read", "description": "Reads a file.", "parameters": parameters,
        }}],
        "tool_choice": {"type": "function", "function": {"name": "read"}},
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "answer", "schema": parameters, "strict": false,
        }},
        "reasoning_effort": "high",
        "temperature": 0.25,
        "stop": ["END"],
        "top_p": 0.5,
        "seed": 7,
    });
    let body = body(&call(full()), &thinking_model(), &FORMAT).unwrap();
    assert_eq!(body, expected);
}

#[test]
fn the_smallest_request_sets_the_limit_and_nothing_optional() {
    let request =
        Request { messages: vec![Message::User(vec![Part::text("Hi")])], ..Request::default() };
    let format = Format {
        output_limit: OutputLimit::MaxTokens,
        thinking: ThinkingField::ReasoningContent,
        call_signatures: CallSignatures::Dropped,
        usage: UsageRequest::Unasked,
    };
    let body = body(&call(request), &ModelFacts::assumed("m"), &format).unwrap();
    let expected = json!({
        "model": "gpt-5-mini",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "max_tokens": 700,
    });
    assert_eq!(body, expected);
}

#[test]
fn thinking_goes_back_with_the_turns_that_called_tools() {
    let thought =
        |text: &str| AssistantPart::Thinking(Thinking { text: text.into(), signature: None });
    let user = || Message::User(vec![Part::text("Go on.")]);
    let messages = vec![
        user(),
        Message::Assistant(vec![thought("of an idle turn"), AssistantPart::Text("Hi".into())]),
        user(),
        Message::Assistant(vec![thought("first"), tool_call("c", "{}")]),
        result("c", vec![Part::text("seen")]),
        Message::Assistant(vec![tool_call("d", "{}")]),
        result("d", vec![Part::text("seen")]),
        Message::Assistant(vec![thought("last"), AssistantPart::Text("Done".into())]),
        user(),
    ];
    let request = Request { messages, ..Request::default() };
    for (thinking, expected) in [
        (ThinkingField::ReasoningContent, [None, Some("first"), Some(""), Some("last")]),
        (ThinkingField::Dropped, [None; 4]),
    ] {
        let format = Format { thinking, ..FORMAT };
        let body = body(&call(request.clone()), &thinking_model(), &format).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let sent: Vec<_> = messages
            .iter()
            .filter(|message| message["role"] == "assistant")
            .map(|message| message["reasoning_content"].as_str())
            .collect();
        assert_eq!(sent, expected, "{thinking:?}");
    }
}

#[test]
fn call_signatures_go_back_to_google_alone() {
    let AssistantPart::ToolCall(mut signed) = tool_call("c", "{}") else { unreachable!() };
    signed.signature = Some("proof".into());
    let messages = vec![Message::Assistant(vec![AssistantPart::ToolCall(signed)])];
    let request = Request { messages, ..Request::default() };
    for (call_signatures, expected) in [
        (CallSignatures::Google, json!({"google": {"thought_signature": "proof"}})),
        (CallSignatures::Dropped, Value::Null),
    ] {
        let format = Format { call_signatures, ..FORMAT };
        let body = body(&call(request.clone()), &thinking_model(), &format).unwrap();
        assert_eq!(body["messages"][0]["tool_calls"][0]["extra_content"], expected);
    }
}

#[test]
fn content_at_its_edges() {
    let failed = Message::Tool(ToolResult { call_id: "c".into(), content: vec![], failed: true });
    for (message, expected) in [
        (Message::User(vec![]), json!({"role": "user", "content": ""})),
        (
            Message::Assistant(vec![tool_call("c", "{}")]),
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}]}),
        ),
        (Message::Assistant(vec![]), json!({"role": "assistant", "content": ""})),
        (failed, json!({"role": "tool", "tool_call_id": "c", "content": "the tool failed"})),
    ] {
        let request = Request { messages: vec![message.clone()], ..Request::default() };
        let body = body(&call(request), &thinking_model(), &FORMAT).unwrap();
        assert_eq!(body["messages"], json!([expected]), "{message:?}");
    }
}

#[test]
fn images_at_the_end_of_the_history_are_not_lost() {
    let messages = vec![result("c", vec![blob("image/png", &[1])])];
    let request = Request { messages, ..Request::default() };
    let body = body(&call(request), &thinking_model(), &FORMAT).unwrap();
    assert_eq!(body["messages"][1]["role"], "user");
    assert_eq!(body["messages"][1]["content"][1]["type"], "image_url");
}

#[test]
fn extra_fields_pass_by_name_only() {
    for field in ["n", "model", "max_tokens", "stream", "service_tier", "models", "tools", "new"] {
        let mut request = Request::default();
        request.extra.insert(field.into(), json!(2));
        let refused = body(&call(request), &thinking_model(), &FORMAT);
        let Err(ProviderError::InvalidRequest(message)) = refused else {
            panic!("{field}: {refused:?}");
        };
        assert!(message.contains(field) && message.contains("top_p"), "{message}");
    }
    // No field on the list is one that the body itself holds.
    let body = body(&call(full()), &thinking_model(), &FORMAT).unwrap();
    for field in EXTRA_FIELDS.iter().filter(|f| !["top_p", "seed"].contains(f)) {
        assert!(body.get(*field).is_none(), "{field}");
    }
}

#[test]
fn effort_falls_to_what_the_model_has() {
    use Effort::{High, Low, Max, Medium, Minimal, Xhigh};
    for (wanted, has, expected) in [
        (Max, &[Low, Medium, High][..], Some(High)),
        (Max, &[High, Xhigh, Low], Some(Xhigh)),
        (Medium, &[Low, High], Some(Low)),
        (Minimal, &[High, Medium], Some(Medium)),
        (Effort::None, &[Effort::None, Low], Some(Effort::None)),
        (High, &[], None),
    ] {
        let facts = ModelFacts { efforts: has.to_vec(), ..ModelFacts::assumed("m") };
        assert_eq!(facts.served(wanted), expected, "{wanted:?} of {has:?}");
    }
}

#[test]
fn strict_mode_only_for_schemas_that_keep_its_rules() {
    let closed = json!({
        "type": "object", "additionalProperties": false,
        "properties": {"a": {"type": "array", "items": {
            "type": ["object", "null"], "additionalProperties": false,
            "properties": {"b": {"type": "string"}}, "required": ["b"],
        }}},
        "required": ["a"],
    });
    assert!(is_strict(&closed));
    assert!(is_strict(&json!({"type": "string"})));
    for (path, value) in [
        ("/additionalProperties", json!(true)),
        ("/required", json!([])),
        ("/properties/a/items/additionalProperties", json!(null)),
        ("/properties/a/items/required", json!(["c"])),
        ("/properties/a", json!({"type": "object"})),
    ] {
        let mut open = closed.clone();
        *open.pointer_mut(path).unwrap() = value;
        assert!(!is_strict(&open), "{path}");
    }
}
