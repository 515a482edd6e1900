//! Tool calls and schemas with the real model: valid whatever it would like to say.

use crate::common::{answer, call, open, options, tool, user};
use domain::chat::{
    AssistantPart, Finish, Message, Request, Tool, ToolCall, ToolChoice, ToolResult,
};
use domain::content::Part;
use domain::provider::{Provider, ProviderError};
use serde_json::{Value as Json, json};

fn weather() -> Tool {
    tool(
        "get_weather",
        "The weather in a city",
        json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 20},
                "unit": {"$ref": "#/$defs/unit"},
            },
            "required": ["city", "unit"],
            "$defs": {"unit": {"enum": ["celsius", "fahrenheit"]}},
        }),
    )
}

fn add() -> Tool {
    tool(
        "add",
        "Adds two numbers",
        json!({
            "type": "object",
            "properties": {
                "a": {"type": "integer", "minimum": 0, "maximum": 99},
                "b": {"type": "integer", "minimum": 0, "maximum": 99},
            },
            "required": ["a", "b"],
        }),
    )
}

fn ask(text: &str, tool_choice: ToolChoice) -> Request {
    Request {
        messages: vec![user(text)],
        tools: vec![weather(), add()],
        tool_choice,
        ..Request::default()
    }
}

fn check_arguments(name: &str, arguments: &str) {
    let parsed: Json =
        serde_json::from_str(arguments).unwrap_or_else(|e| panic!("{arguments}: {e}"));
    match name {
        "get_weather" => {
            assert!(parsed["city"].as_str().unwrap().chars().count() <= 20, "{arguments}");
            assert!(["celsius", "fahrenheit"].contains(&parsed["unit"].as_str().unwrap()));
        }
        "add" => {
            let in_range = |v: &Json| v.as_u64().is_some_and(|n| n < 100);
            assert!(in_range(&parsed["a"]) && in_range(&parsed["b"]), "{arguments}");
        }
        other => panic!("no tool {other}"),
    }
    assert_eq!(parsed.as_object().unwrap().len(), 2, "{arguments}");
}

#[tokio::test]
async fn a_required_call_is_valid() {
    let model = open(options());
    for (session, text) in [("a", "What is the weather in Paris?"), ("b", "Tell me a joke.")] {
        let called =
            answer(&model, call(session, 200, ask(text, ToolChoice::Required))).await.unwrap();
        assert_eq!(called.finish, Some(Finish::ToolCalls), "{called:?}");
        assert_eq!(called.text, "", "the markers never reach the caller");
        assert!(!called.calls.is_empty());
        for (id, name, arguments) in &called.calls {
            assert!(id.starts_with("call_"), "{id}");
            check_arguments(name, arguments);
        }
    }
}

#[tokio::test]
async fn the_output_limit_holds_inside_a_call() {
    let model = open(options());
    for limit in [1, 4, 12] {
        let cut = answer(&model, call("a", limit, ask("Weather?", ToolChoice::Required))).await;
        let cut = cut.unwrap();
        assert_eq!((cut.finish, cut.usage.output), (Some(Finish::Length), u64::from(limit)));
    }
}

#[tokio::test]
async fn a_named_call_is_that_call_once() {
    let model = open(options());
    // A warm and random model tries everything; the grammar holds.
    for seed in 0..4 {
        let mut request = ask("Tell me about the sea.", ToolChoice::Named("add".to_owned()));
        request.temperature = Some(1.8);
        request.extra.insert("seed".to_owned(), seed.into());
        let called = answer(&model, call("a", 100, request)).await.unwrap();
        assert_eq!(called.finish, Some(Finish::ToolCalls));
        assert_eq!(called.calls.len(), 1);
        assert_eq!(called.calls[0].1, "add");
        check_arguments("add", &called.calls[0].2);
    }
}

#[tokio::test]
async fn a_call_of_the_model_s_own_accord_is_held_to_the_grammar() {
    let model = open(options());
    // Examples lead the model to open a call; nothing but the grammar keeps it valid.
    let mut messages = Vec::new();
    for (i, (a, b)) in [(2, 3), (10, 4), (7, 7)].into_iter().enumerate() {
        messages.push(user(&format!("add {a} {b}")));
        messages.push(Message::Assistant(vec![AssistantPart::ToolCall(ToolCall {
            id: i.to_string(),
            name: "add".to_owned(),
            arguments: json!({"a": a, "b": b}).to_string(),
            signature: None,
        })]));
        messages.push(Message::Tool(ToolResult {
            call_id: i.to_string(),
            content: vec![Part::text((a + b).to_string())],
            failed: false,
        }));
        messages.push(Message::Assistant(vec![AssistantPart::Text((a + b).to_string())]));
    }
    messages.push(user("add 20 30"));
    let request = Request { messages, ..ask("", ToolChoice::Auto) };
    let called = answer(&model, call("a", 100, request)).await.unwrap();
    assert_eq!(called.finish, Some(Finish::ToolCalls), "{called:?}");
    for (_, name, arguments) in &called.calls {
        check_arguments(name, arguments);
    }
    assert!(!called.text.contains("<tool_call>"), "{called:?}");
}

#[tokio::test]
async fn without_a_choice_of_tools_the_model_talks() {
    let model = open(options());
    let request = ask("Say hello.", ToolChoice::None);
    let talked = answer(&model, call("a", 40, request)).await.unwrap();
    assert!(talked.calls.is_empty());
    assert!(!talked.text.is_empty());
    assert!(talked.usage.input < 60, "no tool is in the prompt: {talked:?}");
}

#[tokio::test]
async fn an_output_schema_is_kept() {
    let model = open(options());
    let request = Request {
        messages: vec![user("Paris is the capital of France. It has two million inhabitants.")],
        output_schema: Some(json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 30},
                "size": {"enum": ["small", "large"]},
                "scores": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 2, "maxItems": 2},
            },
            "required": ["city", "size", "scores"],
            "additionalProperties": false,
        })),
        ..Request::default()
    };
    let answered = answer(&model, call("a", 120, request)).await.unwrap();
    assert_eq!(answered.finish, Some(Finish::Stop), "{answered:?}");
    let parsed: Json = serde_json::from_str(&answered.text).unwrap();
    assert!(["small", "large"].contains(&parsed["size"].as_str().unwrap()), "{parsed}");
    assert_eq!(parsed["scores"].as_array().unwrap().len(), 2, "{parsed}");
}

#[tokio::test]
async fn impossible_demands_are_refused_with_a_reason() {
    let model = open(options());
    let schema = Some(json!({"type": "object"}));
    for (request, reason) in [
        (ask("x", ToolChoice::Named("fly".to_owned())), "no tool `fly`"),
        (Request { tools: vec![], ..ask("x", ToolChoice::Required) }, "there are no tools"),
        (Request { output_schema: schema, ..ask("x", ToolChoice::Auto) }, "not both"),
        (
            Request {
                output_schema: Some(json!({"$ref": "#/nowhere"})),
                ..ask("x", ToolChoice::None)
            },
            "cannot be kept",
        ),
    ] {
        let refused = model.call(call("a", 9, request)).await.map(|_| ()).unwrap_err();
        assert!(
            matches!(&refused, ProviderError::InvalidRequest(text) if text.contains(reason)),
            "{refused}"
        );
    }
}
