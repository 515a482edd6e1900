use domain::chat::{Message, Thinking, Tool, ToolCall};
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use domain::{Blob, Price};
use proptest::prelude::*;

use super::*;
use crate::price::{Piece, each_piece};

/// A token a byte, so that sums can be checked by hand.
struct Bytes;

#[async_trait::async_trait]
impl Provider for Bytes {
    fn name(&self) -> &str {
        "bytes"
    }

    fn model(&self, _: &str) -> Option<ModelInfo> {
        None
    }

    async fn call(&self, _: Call) -> Result<Deltas, ProviderError> {
        Err(ProviderError::Other("never called".into()))
    }

    fn count_tokens(&self, text: &str) -> u64 {
        text.len() as u64
    }
}

fn route(images: bool) -> Route {
    Route {
        provider: Arc::new(Bytes),
        model: "m".into(),
        info: ModelInfo {
            name: "bytes/m".into(),
            context_window: 0,
            max_output_tokens: 100,
            images,
            reasoning: false,
            price: Some(Price::FREE),
            tiers: Vec::new(),
        },
    }
}

fn frame(window: u32) -> Frame {
    Frame { window, output: 100, same_provider: false, percent: 100 }
}

fn fitted(messages: Vec<Message>, window: u32) -> Result<Fitted, TooLarge> {
    let request = Request { system: Some("Be good.".into()), messages, ..Request::default() };
    fit_now(request, &route(false), frame(window))
}

fn user(text: &str) -> Message {
    Message::User(vec![Part::text(text)])
}

fn said(text: &str) -> Message {
    Message::Assistant(vec![AssistantPart::Text(text.into())])
}

fn call(id: &str, arguments: &str) -> Message {
    Message::Assistant(vec![AssistantPart::ToolCall(ToolCall {
        id: id.into(),
        name: "read".into(),
        arguments: arguments.into(),
        signature: Some("sig".into()),
    })])
}

fn result(id: &str, text: &str) -> Message {
    let content = vec![Part::text(text)];
    Message::Tool(ToolResult { call_id: id.into(), content, failed: false })
}

/// Every token that the model would read, counted once more and in another way.
fn tokens(request: &Request) -> u64 {
    let mut tokens = 0;
    each_piece(request, &mut |piece| {
        tokens += match piece {
            Piece::Text(text) | Piece::Signature(text) => text.len() as u64,
            Piece::Json(json) => json.to_string().len() as u64,
            Piece::Blob(_) => crate::count::IMAGE_TOKENS,
        };
    });
    tokens
}

/// What every provider asks of a conversation.
fn check_valid(messages: &[Message]) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        match message {
            Message::Tool(result) => {
                let Some(at) = open.iter().position(|id| *id == result.call_id) else {
                    return Err(format!("a result without a call: {result:?}"));
                };
                open.remove(at);
            }
            _ if !open.is_empty() => return Err(format!("calls without results: {open:?}")),
            Message::User(_) => {}
            Message::Assistant(parts) if parts.is_empty() => return Err("says nothing".into()),
            Message::Assistant(parts) => open.extend(parts.iter().filter_map(|part| match part {
                AssistantPart::ToolCall(call) => Some(call.id.clone()),
                _ => None,
            })),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("calls without results: {open:?}")) }
}

fn last_user(messages: &[Message]) -> Option<&Message> {
    messages.iter().rev().find(|message| matches!(message, Message::User(_)))
}

#[test]
fn what_fits_stays_as_it_is() {
    let messages = vec![user("a"), said("b"), user("c"), call("1", "{}"), result("1", "r")];
    let fitted = fitted(messages.clone(), 1_000).unwrap();
    assert!(fitted.left_out.is_nothing());
    assert_eq!(fitted.request.messages.len(), messages.len());
    assert_eq!(fitted.output, 100);
}

#[test]
fn the_oldest_results_go_first_and_then_the_oldest_messages() {
    let long = "x".repeat(300);
    let history = || {
        vec![
            user("first"),
            call("1", "{}"),
            result("1", &long),
            said(&"o".repeat(400)),
            user("second"),
            call("2", "{}"),
            result("2", &long),
            call("3", "{}"),
            result("3", &long),
        ]
    };
    // (window, left out, the first message that is left)
    for (window, results, messages, first) in [
        (1_900, 0, 0, "first"),
        (1_500, 1, 0, "first"),
        (1_260, 2, 0, "first"),
        (700, 1, 4, "second"),
    ] {
        let fitted = fitted(history(), window).unwrap();
        let left_out = fitted.left_out;
        assert_eq!((left_out.tool_results, left_out.messages), (results, messages), "{window}");
        assert_eq!(fitted.request.messages[0], user(first), "{window}");
        assert_eq!(check_valid(&fitted.request.messages), Ok(()), "{window}");
        let newest = fitted.request.messages.last();
        assert_eq!(newest, Some(&result("3", &long)), "{window}");
    }
}

#[test]
fn a_result_that_was_not_read_yet_is_cut_rather_than_dropped() {
    let messages = vec![user("read it"), call("1", "{}"), result("1", &"y".repeat(5_000))];
    let fitted = fitted(messages, 600).unwrap();
    let Some(Message::Tool(result)) = fitted.request.messages.last() else { panic!("{fitted:?}") };
    let text = plain_text(&result.content);
    assert!(text.starts_with("yyyy") && text.ends_with(CUT_REMARK), "{text}");
    assert_eq!((fitted.left_out.shortened, fitted.left_out.tool_results), (1, 0));
}

#[test]
fn long_arguments_of_the_last_step_are_emptied() {
    let arguments = format!(r#"{{"content":"{}"}}"#, "z".repeat(5_000));
    let messages = vec![user("write it"), call("1", &arguments), result("1", "written")];
    let fitted = fitted(messages, 600).unwrap();
    let Message::Assistant(parts) = &fitted.request.messages[1] else { panic!("{fitted:?}") };
    assert!(matches!(&parts[0], AssistantPart::ToolCall(call) if call.arguments == "{}"));
    assert_eq!(fitted.left_out.shortened, 1);
}

#[test]
fn images_and_foreign_thinking_stay_behind() {
    let image = Part::Blob(Blob { mime: "image/png".into(), data: vec![0; 10] });
    let thinking = Thinking { text: "hm".into(), signature: Some("s".into()) };
    let messages = vec![
        Message::User(vec![Part::text("look"), image]),
        Message::Assistant(vec![
            AssistantPart::Thinking(thinking.clone()),
            AssistantPart::Text("I see.".into()),
        ]),
        Message::Assistant(vec![AssistantPart::Thinking(thinking)]),
        user("and now"),
    ];
    let other = fitted(messages.clone(), 10_000).unwrap();
    assert_eq!((other.left_out.images, other.left_out.thoughts), (1, 2));
    let expected = Message::User(vec![Part::text("look"), Part::text(IMAGE_REMARK)]);
    assert_eq!(other.request.messages, [expected, said("I see."), user("and now")]);

    let request = Request { messages: messages.clone(), ..Request::default() };
    let same = Frame { same_provider: true, ..frame(10_000) };
    let same = fit_now(request, &route(true), same).unwrap();
    assert!(same.left_out.is_nothing());
    assert_eq!(same.request.messages, messages);
}

#[test]
fn what_cannot_fit_is_said_with_numbers() {
    let error = fitted(vec![user(&"x".repeat(2_000))], 1_000).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("window of 1000 has room for 900"), "{text}");
    assert!(fitted(vec![user("x")], 10).is_err());
    assert!(fitted(Vec::new(), 100).is_ok());
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => "[a-zä]{0,60}".prop_map(Part::Text),
        1 => (0..50usize).prop_map(|n| Part::Blob(Blob { mime: "image/png".into(), data: vec![1; n] })),
    ]
}

/// Any list of messages, also those that no harness would send.
fn message() -> impl Strategy<Value = Message> {
    let id = || (0..4u8).prop_map(|n| format!("c{n}"));
    let parts = || prop::collection::vec(part(), 0..3);
    let answer = prop_oneof![
        "[a-z ]{0,80}".prop_map(AssistantPart::Text),
        "[a-z ]{0,40}".prop_map(|text| {
            AssistantPart::Thinking(Thinking { text, signature: Some("s".into()) })
        }),
        (id(), 0..200usize).prop_map(|(id, n)| AssistantPart::ToolCall(ToolCall {
            id,
            name: "f".into(),
            arguments: format!("{{\"a\":\"{}\"}}", "b".repeat(n)),
            signature: None,
        })),
    ];
    prop_oneof![
        2 => parts().prop_map(Message::User),
        3 => prop::collection::vec(answer, 0..4).prop_map(Message::Assistant),
        4 => (id(), parts(), any::<bool>(), 0..400usize).prop_map(|(call_id, mut content, failed, n)| {
            content.push(Part::Text("r".repeat(n)));
            Message::Tool(ToolResult { call_id, content, failed })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_history_is_the_result_is_valid_and_fits(
        messages in prop::collection::vec(message(), 0..30),
        window in 100u32..4_000,
        images in any::<bool>(),
        tools in 0..3usize,
    ) {
        let tool = Tool {
            name: "f".into(),
            description: "does it".into(),
            parameters: serde_json::json!({"type": "object"}),
        };
        let request = Request {
            system: Some("Be good.".into()),
            messages: messages.clone(),
            tools: vec![tool; tools],
            ..Request::default()
        };
        let Ok(fitted) = fit_now(request.clone(), &route(images), frame(window)) else {
            // Only what is kept at any rate can be too large.
            let least = Request { messages: Vec::new(), ..request };
            let kept: u64 = last_user(&messages).map_or(0, |message| match message {
                Message::User(parts) => parts.iter().map(|part| match part {
                    Part::Blob(_) => crate::count::IMAGE_TOKENS,
                    part => part.size() as u64,
                }).sum(),
                _ => 0,
            });
            // Frames, remarks and the last step are below this.
            prop_assert!(tokens(&least) + kept + 1_200 > u64::from(window) * 3 / 4);
            return Ok(());
        };
        prop_assert_eq!(check_valid(&fitted.request.messages), Ok(()));
        prop_assert!(tokens(&fitted.request) + u64::from(fitted.output) <= u64::from(window));
        prop_assert!(fitted.output > 0);
        prop_assert_eq!(&fitted.request.system, &request.system);
        prop_assert_eq!(&fitted.request.tools, &request.tools);
        if images {
            prop_assert_eq!(last_user(&fitted.request.messages), last_user(&messages));
        }
        // What is already fit is left alone.
        let again = fit_now(fitted.request.clone(), &route(images), frame(window)).unwrap();
        prop_assert_eq!(again.request.messages, fitted.request.messages);
        prop_assert!(again.left_out.is_nothing());
    }
}
