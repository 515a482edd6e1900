//! Scripts played through the provider's trait.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use domain::chat::{AssistantPart, Delta, Finish, Message, Request, ToolCall, Usage};
use domain::content::Part;
use domain::provider::{Call, Provider as _, ProviderError, Sent};
use domain::{Price, SessionId};
use futures::StreamExt as _;
use providers::script::Script;

fn call(messages: Vec<Message>) -> Call {
    Call {
        request: Request { system: Some("12345678".into()), messages, ..Request::default() },
        model: "script:demo".into(),
        max_output_tokens: 100,
        session: SessionId::new("s").unwrap(),
    }
}

async fn play(script: &Script) -> Result<Vec<Result<Delta, ProviderError>>, ProviderError> {
    let call = call(vec![Message::User(vec![Part::text("1234")])]);
    Ok(script.call(call).await?.collect().await)
}

fn usage(input: u64, output: u64) -> Delta {
    Delta::Usage(Usage { input, output, ..Usage::default() })
}

#[tokio::test]
async fn a_turn_in_pieces() {
    let script = Script::parse(
        "demo",
        r#"{"thinking": "so be it", "text": "Hello there,\nworld.", "tool_calls": [{"name": "read", "arguments": {"path": "größe"}}, {"name": "ls"}]}"#,
    )
    .unwrap();
    let text = |t: &str| Delta::Text(t.into());
    let thinking = |t: &str| Delta::Thinking(t.into());
    let start = |index, id: &str, name: &str| Delta::ToolCallStart {
        index,
        id: id.into(),
        name: name.into(),
    };
    let piece =
        |index, fragment: &str| Delta::ToolCallArguments { index, fragment: fragment.into() };
    let expected: Vec<Result<Delta, ProviderError>> = [
        thinking("so "),
        thinking("be "),
        thinking("it"),
        text("Hello "),
        text("there,\nworld."),
        start(0, "call_1", "read"),
        piece(0, "{\"path\":"),
        piece(0, "\"größe"),
        piece(0, "\"}"),
        start(1, "call_2", "ls"),
        piece(1, "{}"),
        // 12 bytes in; 8 + 19 of text, 4 + 18 and 2 + 2 of calls out.
        usage(3, 14),
        Delta::Finished(Finish::ToolCalls),
    ]
    .map(Ok)
    .into();
    assert_eq!(play(&script).await, Ok(expected));
}

#[tokio::test]
async fn written_usage_counts() {
    let line = r#"{"text": "a", "usage": {"input": 7, "cached": 5, "cache_written": 1, "output": 3, "reasoning": 2}}"#;
    let script = Script::parse("demo", line).unwrap();
    let expected = Usage { input: 7, cached: 5, cache_written: 1, output: 3, reasoning: 2 };
    let deltas = play(&script).await.unwrap();
    assert_eq!(deltas[1], Ok(Delta::Usage(expected)));
    assert_eq!(deltas[2], Ok(Delta::Finished(Finish::Stop)));
}

#[tokio::test]
async fn turns_follow_each_other_until_none_is_left() {
    let script = Script::parse("demo", "{\"text\": \"1\"}\n{\"text\": \"2\"}\n").unwrap();
    for n in ["1", "2"] {
        assert_eq!(play(&script).await.unwrap()[0], Ok(Delta::Text(n.into())));
    }
    for _ in 0..3 {
        let error = play(&script).await.unwrap_err();
        assert!(!error.is_transient());
        assert_eq!(
            error.to_string(),
            "the script `demo` has 2 turns and was asked for one more; add a line to it"
        );
    }
}

#[tokio::test]
async fn every_turn_is_played_once_however_many_ask() {
    let lines: String = (0..50).map(|n| format!("{{\"text\": \"{n}\"}}\n")).collect();
    let script = std::sync::Arc::new(Script::parse("demo", &lines).unwrap());
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let script = std::sync::Arc::clone(&script);
            tokio::spawn(async move { play(&script).await.ok().map(|deltas| deltas[0].clone()) })
        })
        .collect();
    let mut texts = std::collections::BTreeSet::new();
    let mut refused = 0;
    for call in calls {
        match call.await.unwrap() {
            Some(Ok(Delta::Text(text))) => assert!(texts.insert(text)),
            Some(other) => panic!("{other:?}"),
            None => refused += 1,
        }
    }
    assert_eq!((texts.len(), refused), (50, 10));
}

#[tokio::test]
async fn ids_go_on_from_the_history() {
    let script = Script::parse("demo", r#"{"tool_calls": [{"name": "ls"}]}"#).unwrap();
    let before = |id: &str| {
        AssistantPart::ToolCall(ToolCall {
            id: id.into(),
            name: "ls".into(),
            arguments: "{}".into(),
            signature: None,
        })
    };
    let history = vec![Message::Assistant(vec![before("call_7"), before("call_3"), before("x")])];
    let mut deltas = script.call(call(history)).await.unwrap();
    let Some(Ok(Delta::ToolCallStart { id, .. })) = deltas.next().await else { panic!() };
    assert_eq!(id, "call_8");
}

#[tokio::test(start_paused = true)]
async fn errors_and_delays() {
    let script = Script::parse(
        "demo",
        concat!(
            r#"{"error": {"status": 429, "message": "slow", "retry_after_ms": 7}, "delay_ms": 2000}"#,
            "\n",
            r#"{"error": {"message": "gone"}}"#,
            "\n",
            r#"{"text": "a b", "delay_ms": 3000, "error": {"status": 500, "message": "half", "after_text": true}}"#,
        ),
    )
    .unwrap();
    let start = tokio::time::Instant::now();
    let error = play(&script).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 2);
    let provider = || "script:demo".to_owned();
    let status = |status, reason: &str, retry_after_ms| ProviderError::Status {
        provider: provider(),
        status,
        reason: reason.into(),
        retry_after_ms,
    };
    assert_eq!(error, status(429, "slow", Some(7)));

    let gone = ProviderError::Connection {
        provider: provider(),
        reason: "gone".into(),
        sent: Sent::Maybe,
    };
    assert_eq!(play(&script).await, Err(gone));

    let start = tokio::time::Instant::now();
    let deltas = play(&script).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    let expected =
        [Ok(Delta::Text("a ".into())), Ok(Delta::Text("b".into())), Err(status(500, "half", None))];
    assert_eq!(deltas, expected);
}

#[test]
fn the_model_says_that_it_is_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.jsonl");
    let price = r#"{"price": {"input": "$3", "output": "$15.5"}}"#;
    std::fs::write(&path, format!("{{\"text\": \"a\"}}\n{price}\n")).unwrap();
    let script = Script::open(&path).unwrap();
    assert_eq!((script.name(), script.model_name()), ("script", "script:demo.jsonl"));
    for name in ["script:demo.jsonl", "demo.jsonl"] {
        let info = script.model(name).unwrap();
        assert_eq!(info.name, "script:demo.jsonl");
        assert_eq!(info.price.map(|p| (p.input, p.output)), Some((3_000_000_000, 15_500_000_000)));
    }
    assert_eq!(script.model("other.jsonl"), None);

    let free = Script::parse("x", "{\"text\": \"a\"}").unwrap();
    assert_eq!(free.model("x").unwrap().price, Some(Price::FREE));
    let missing = Script::open(&folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("none"), "{missing}");
}
