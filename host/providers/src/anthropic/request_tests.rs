use super::*;
use crate::endpoint::ModelFacts;
use domain::SessionId;
use domain::chat::{AssistantPart, Message, Thinking as Thought, Tool, ToolCall, ToolResult};
use domain::content::{Blob, Link, Part};

fn call(request: Request) -> Call {
    Call {
        request,
        model: "claude-x".into(),
        max_output_tokens: 20_000,
        session: SessionId::new("s").unwrap(),
    }
}

fn model(thinking: ThinkingStyle, efforts: &[Effort]) -> ClaudeModel {
    let facts = ModelFacts { efforts: efforts.to_vec(), ..ModelFacts::assumed("claude-x") };
    ClaudeModel { facts, thinking }
}

fn thinker(thinking: ThinkingStyle) -> ClaudeModel {
    model(thinking, &super::super::EFFORTS)
}

fn user(text: &str) -> Message {
    Message::User(vec![Part::text(text)])
}

fn blob(mime: &str, data: &[u8]) -> Part {
    Part::Blob(Blob { mime: mime.into(), data: data.into() })
}

fn tool_call(id: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.into(),
        name: "read".into(),
        arguments: arguments.into(),
        signature: None,
    })
}

fn thought(text: &str, signature: Option<&str>) -> AssistantPart {
    AssistantPart::Thinking(Thought { text: text.into(), signature: signature.map(str::to_owned) })
}

fn result(call_id: &str, content: Vec<Part>, failed: bool) -> Message {
    Message::Tool(ToolResult { call_id: call_id.into(), content, failed })
}

fn read_tool() -> Tool {
    Tool {
        name: "read".into(),
        description: "Reads a file.".into(),
        parameters: json!({"type": "object"}),
    }
}

/// The messages of a history as they are sent, without the marks for the cache.
fn sent(history: Vec<Message>) -> Value {
    let request = Request { messages: history, ..Request::default() };
    let mut body = body(&call(request), &ClaudeModel::assumed("claude-x")).unwrap();
    for message in body["messages"].as_array_mut().unwrap() {
        for block in message["content"].as_array_mut().unwrap() {
            block.as_object_mut().unwrap().remove("cache_control");
        }
    }
    body["messages"].take()
}

#[test]
fn a_full_request() {
    let extra = json!({"top_p": 0.99, "metadata": {"user_id": "u"}, "parallel_tool_calls": false});
    let request = Request {
        model: None,
        system: Some("Be brief.".into()),
        messages: vec![
            user("What is this?"),
            Message::Assistant(vec![
                thought("hm", Some("anthropic.thinking:EqQB")),
                AssistantPart::Text("Let me look.".into()),
                tool_call("c1", r#"{"path":"a"}"#),
                tool_call("c2", ""),
            ]),
            result("c1", vec![Part::text("seen"), blob("image/png", &[1, 2, 3])], false),
            result("c2", vec![], true),
        ],
        tools: vec![read_tool()],
        tool_choice: ToolChoice::Auto,
        max_output_tokens: Some(9_999),
        temperature: None,
        effort: Some(Effort::Max),
        output_schema: Some(json!({"type": "string"})),
        stop: vec!["END".into()],
        extra: extra.as_object().cloned().unwrap_or_default(),
    };
    let cached = json!({"type": "ephemeral"});
    let expected = json!({
        "model": "claude-x",
        "max_tokens": 20_000,
        "stream": true,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": cached}],
        "tools": [{
            "name": "read", "description": "Reads a file.", "input_schema": {"type": "object"},
        }],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?", "cache_control": cached},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "c1", "name": "read", "input": {"path": "a"}},
                {"type": "tool_use", "id": "c2", "name": "read", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [
                    {"type": "text", "text": "seen"},
                    {"type": "image", "source": {
                        "type": "base64", "media_type": "image/png", "data": "AQID",
                    }},
                ]},
                {"type": "tool_result", "tool_use_id": "c2", "is_error": true,
                    "cache_control": cached},
            ]},
        ],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {
            "effort": "high",
            "format": {"type": "json_schema", "schema": {"type": "string"}},
        },
        "stop_sequences": ["END"],
        "top_p": 0.99,
        "metadata": {"user_id": "u"},
    });
    assert_eq!(body(&call(request), &thinker(ThinkingStyle::Adaptive)).unwrap(), expected);
}

#[test]
fn thinking_follows_the_model_the_room_and_the_history() {
    use ThinkingStyle::{Adaptive, Budget};
    let plain = || vec![user("Hi")];
    let signed = Some("anthropic.thinking:x");
    let looped = |first: AssistantPart| {
        vec![
            user("Hi"),
            Message::Assistant(vec![first, tool_call("c", "{}")]),
            result("c", vec![], false),
        ]
    };
    let words = || AssistantPart::Text("Well.".into());
    let adaptive = |effort: &str| {
        (json!({"type": "adaptive", "display": "summarized"}), json!({"effort": effort}))
    };
    let budget = |tokens: u32| (json!({"type": "enabled", "budget_tokens": tokens}), Value::Null);
    let off = || (Value::Null, Value::Null);
    for (what, style, effort, limit, messages, expected) in [
        ("not asked for", Adaptive, None, 20_000, plain(), off()),
        ("asked for none", Adaptive, Some(Effort::None), 20_000, plain(), off()),
        ("minimal", Adaptive, Some(Effort::Minimal), 20_000, plain(), adaptive("low")),
        ("low", Adaptive, Some(Effort::Low), 20_000, plain(), adaptive("low")),
        ("beyond its levels", Adaptive, Some(Effort::Xhigh), 20_000, plain(), adaptive("high")),
        ("a small answer", Adaptive, Some(Effort::High), 10, plain(), adaptive("high")),
        (
            "a history without",
            Adaptive,
            Some(Effort::Low),
            20_000,
            looped(words()),
            adaptive("low"),
        ),
        ("a budget", Budget, Some(Effort::Low), 20_000, plain(), budget(8_192)),
        ("a budget", Budget, Some(Effort::Medium), 20_000, plain(), budget(16_384)),
        ("below the limit", Budget, Some(Effort::High), 20_000, plain(), budget(18_976)),
        ("the smallest", Budget, Some(Effort::Low), 2_048, plain(), budget(1_024)),
        ("no room", Budget, Some(Effort::Low), 2_047, plain(), off()),
        ("no room at all", Budget, Some(Effort::Low), 10, plain(), off()),
        ("a broken loop", Budget, Some(Effort::Low), 20_000, looped(words()), off()),
        (
            "a whole loop",
            Budget,
            Some(Effort::Low),
            20_000,
            looped(thought("a", signed)),
            budget(8_192),
        ),
    ] {
        let request = Request { effort, messages, ..Request::default() };
        let call = Call { max_output_tokens: limit, ..call(request) };
        let body = body(&call, &thinker(style)).unwrap();
        assert_eq!((body["thinking"].clone(), body["output_config"].clone()), expected, "{what}");
        if let Some(tokens) = body["thinking"]["budget_tokens"].as_u64() {
            assert!((1_024..u64::from(limit)).contains(&tokens), "{what}");
        }
    }
    let request = Request { effort: Some(Effort::High), messages: plain(), ..Request::default() };
    let body = body(&call(request), &ClaudeModel::assumed("m")).unwrap();
    assert_eq!(body["thinking"], Value::Null, "a model of which nothing is known");
}

#[test]
fn what_thinking_rules_out() {
    for (choice, tools, thinks) in [
        (ToolChoice::Required, vec![read_tool()], false),
        (ToolChoice::Named("read".into()), vec![read_tool()], false),
        (ToolChoice::None, vec![read_tool()], true),
        (ToolChoice::Auto, vec![read_tool()], true),
        (ToolChoice::Required, vec![], true),
    ] {
        let request = Request {
            messages: vec![user("Hi")],
            tool_choice: choice.clone(),
            tools,
            effort: Some(Effort::Low),
            temperature: Some(1.5),
            ..Request::default()
        };
        let body = body(&call(request), &thinker(ThinkingStyle::Adaptive)).unwrap();
        assert_eq!(body.get("thinking").is_some(), thinks, "{choice:?}");
        let temperature = if thinks { Value::Null } else { json!(1.0) };
        assert_eq!(body["temperature"], temperature, "{choice:?}");
    }
}

#[test]
fn tool_choices() {
    let one = json!({"parallel_tool_calls": false});
    for (choice, extra, expected) in [
        (ToolChoice::Auto, json!({}), Value::Null),
        (ToolChoice::None, json!({}), json!({"type": "none"})),
        (ToolChoice::Required, json!({}), json!({"type": "any"})),
        (ToolChoice::Named("read".into()), json!({}), json!({"type": "tool", "name": "read"})),
        (ToolChoice::Auto, json!({"parallel_tool_calls": true}), Value::Null),
        (ToolChoice::None, one.clone(), json!({"type": "none"})),
        (ToolChoice::Required, one, json!({"type": "any", "disable_parallel_tool_use": true})),
    ] {
        let request = Request {
            messages: vec![user("Hi")],
            tools: vec![read_tool()],
            tool_choice: choice.clone(),
            extra: extra.as_object().cloned().unwrap_or_default(),
            ..Request::default()
        };
        let body = body(&call(request), &ClaudeModel::assumed("m")).unwrap();
        assert_eq!(body["tool_choice"], expected, "{choice:?}");
        assert!(body.get("parallel_tool_calls").is_none());
    }
}

#[test]
fn extra_fields_pass_by_name_only() {
    for field in ["seed", "model", "max_tokens", "service_tier", "container", "user", "new"] {
        let mut request = Request::default();
        request.extra.insert(field.into(), json!(2));
        let refused = body(&call(request), &ClaudeModel::assumed("m"));
        let Err(ProviderError::InvalidRequest(message)) = refused else {
            panic!("{field}: {refused:?}");
        };
        assert!(message.contains(field) && message.contains("top_k"), "{message}");
    }
    for field in EXTRA_FIELDS {
        assert!(domain::chat::EXTRA_FIELDS.contains(&field), "{field} passes the pipeline");
    }
}

#[test]
fn histories_become_turns() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let history = vec![
        user("one"),
        Message::User(vec![
            Part::text(" \n"),
            Part::Link(Link { uri: "https://e.com/a".into(), mime: None, title: Some("a".into()) }),
            blob("application/pdf", b"%PDF"),
            blob("image/tiff", &[1, 2]),
            blob("text/csv", b"a,b"),
            blob("text/plain", b""),
        ]),
        Message::Assistant(vec![]),
        user(""),
        Message::Assistant(vec![AssistantPart::Text(" ".into()), tool_call("a.b:0", "[1")]),
        result("a.b:0", vec![Part::text("")], false),
        user("two"),
    ];
    let expected = json!([
        {"role": "user", "content": [
            text("one"),
            text("[a](https://e.com/a)"),
            {"type": "document", "source": {
                "type": "base64", "media_type": "application/pdf", "data": "JVBERg==",
            }},
            text("[image/tiff, 2 bytes, not shown]"),
            text("a,b"),
            text("[text/plain, 0 bytes, not shown]"),
        ]},
        {"role": "assistant", "content": [text("(empty)")]},
        {"role": "user", "content": [text("(empty)")]},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a_2e_b_3a_0", "name": "read",
                "input": {"invalid_arguments": "[1"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a_2e_b_3a_0"},
            text("two"),
        ]},
    ]);
    assert_eq!(sent(history), expected);
}

#[test]
fn thinking_goes_back_as_it_came_and_others_stay_behind() {
    let history = vec![
        user("Hi"),
        Message::Assistant(vec![
            thought("seen", Some("anthropic.thinking:EqQB==")),
            thought("", Some("anthropic.thinking:omitted")),
            thought("", Some("anthropic.redacted:EmwK")),
            thought("of a model without proofs", None),
            thought("of another provider", Some("proof")),
            AssistantPart::Text("Hello.".into()),
        ]),
        user("Go on."),
    ];
    let expected = json!([
        {"type": "thinking", "thinking": "seen", "signature": "EqQB=="},
        {"type": "thinking", "thinking": "", "signature": "omitted"},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "Hello."},
    ]);
    assert_eq!(sent(history)[1]["content"], expected);
}

#[test]
fn the_cache_is_marked_at_most_four_times_and_never_on_thinking() {
    let history = |turns: usize| -> Vec<Message> {
        let turn = |n: usize| {
            [
                user(&format!("question {n}")),
                Message::Assistant(vec![
                    thought("t", Some("anthropic.thinking:x")),
                    AssistantPart::Text("answer".into()),
                ]),
            ]
        };
        (0..turns).flat_map(turn).chain([user("last")]).collect()
    };
    for (system, tools, turns, expected) in [
        (None, vec![], 0, 1),
        (None, vec![], 5, 2),
        (Some("s"), vec![], 5, 3),
        (Some("s"), vec![read_tool(), read_tool()], 5, 3),
        (None, vec![read_tool(), read_tool()], 5, 3),
        (Some(" "), vec![], 0, 1),
    ] {
        let request = Request {
            system: system.map(str::to_owned),
            tools,
            messages: history(turns),
            ..Request::default()
        };
        let body = body(&call(request), &ClaudeModel::assumed("m")).unwrap();
        let marks = body.to_string().matches("cache_control").count();
        assert_eq!(marks, expected, "{body}");
        let messages = body["messages"].as_array().unwrap();
        let assistants = messages.iter().filter(|message| message["role"] == "assistant");
        assert!(assistants.into_iter().all(|m| !m.to_string().contains("cache_control")), "{body}");
        // The last message always ends the prefix that the next request finds.
        let last = messages.last().unwrap()["content"].as_array().unwrap().last().unwrap();
        assert!(last.get("cache_control").is_some(), "{body}");
    }
}
