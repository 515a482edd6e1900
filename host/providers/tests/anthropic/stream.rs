//! Answers of the Messages API, whole, odd and broken.

use std::sync::Arc;
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Provider, ProviderError, Sent};
use futures::StreamExt as _;
use providers::anthropic::Anthropic;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, Step, chunk, end, head, message, messages};
use crate::{call, config};

async fn answer_of(play: Vec<Step>) -> (Vec<Delta>, Option<ProviderError>) {
    let double = Double::start(vec![play]).await;
    collect(&Anthropic::new(config(&double.base_url())).unwrap()).await
}

async fn collect(provider: &Anthropic) -> (Vec<Delta>, Option<ProviderError>) {
    let run = async {
        let mut stream = match provider.call(call()).await {
            Ok(stream) => stream,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let (mut deltas, mut failure) = (Vec::new(), None);
        while let Some(item) = stream.next().await {
            assert!(failure.is_none(), "an item after the error: {item:?}");
            match item {
                Ok(delta) => deltas.push(delta),
                Err(error) => failure = Some(error),
            }
        }
        // An answer ends with exactly one of both.
        let finished = |delta: &Delta| matches!(delta, Delta::Finished(_));
        assert_eq!(deltas.iter().filter(|d| finished(d)).count(), usize::from(failure.is_none()));
        assert!(failure.is_some() || deltas.last().is_some_and(finished), "{deltas:?}");
        (deltas, failure)
    };
    timeout(DEADLINE, run).await.unwrap()
}

fn start(usage: Value) -> Value {
    json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x-20260101",
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
    }})
}

fn block(index: u32, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn piece(index: u32, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u32, text: &str) -> Value {
    piece(index, json!({"type": "text_delta", "text": text}))
}

fn close(index: u32) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn reason(reason: &str, usage: Value) -> Value {
    json!({"type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": usage})
}

fn stop() -> Value {
    json!({"type": "message_stop"})
}

fn said(deltas: &[Delta]) -> String {
    let text = |d: &Delta| if let Delta::Text(t) = d { Some(t.clone()) } else { None };
    deltas.iter().filter_map(text).collect()
}

#[tokio::test]
async fn thinking_text_calls_and_usage() {
    let (deltas, failure) = answer_of(messages(&[
        start(json!({"input_tokens": 10, "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 300, "output_tokens": 1, "service_tier": "standard"})),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        json!({"type": "ping"}),
        piece(0, json!({"type": "thinking_delta", "thinking": "Two "})),
        piece(0, json!({"type": "thinking_delta", "thinking": "files."})),
        piece(0, json!({"type": "signature_delta", "signature": "EqQB"})),
        close(0),
        block(1, json!({"type": "redacted_thinking", "data": "EmwK"})),
        close(1),
        block(2, json!({"type": "thinking", "thinking": "", "signature": ""})),
        piece(2, json!({"type": "signature_delta", "signature": "Hidden"})),
        close(2),
        block(3, json!({"type": "text", "text": ""})),
        text(3, "Let me "),
        text(3, "look."),
        close(3),
        block(4, json!({"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}})),
        piece(4, json!({"type": "input_json_delta", "partial_json": ""})),
        piece(4, json!({"type": "input_json_delta", "partial_json": "{\"p\":"})),
        piece(4, json!({"type": "input_json_delta", "partial_json": "1}"})),
        close(4),
        block(5, json!({"type": "tool_use", "id": "toolu_2", "name": "ls", "input": {}})),
        close(5),
        block(6, json!({"type": "tool_use", "id": "toolu_2", "name": "cat", "input": {"a": [1]}})),
        close(6),
        json!({"type": "tomorrow", "of": 1}),
        reason(
            "tool_use",
            json!({"output_tokens": 42,
            "output_tokens_details": {"thinking_tokens": 30}}),
        ),
        stop(),
    ]))
    .await;
    assert_eq!(failure, None);
    let Some(Delta::ToolCallStart { id: minted, .. }) =
        deltas.iter().rfind(|d| matches!(d, Delta::ToolCallStart { .. }))
    else {
        panic!("{deltas:?}")
    };
    assert_ne!(minted, "toolu_2", "ids are unique");
    let call = |index, id: &str, name: &str| Delta::ToolCallStart {
        index,
        id: id.into(),
        name: name.into(),
    };
    let arguments =
        |index, fragment: &str| Delta::ToolCallArguments { index, fragment: fragment.into() };
    let usage = |output, reasoning| {
        Delta::Usage(Usage { input: 330, cached: 300, cache_written: 20, output, reasoning })
    };
    let expected = [
        Delta::Model("claude-x-20260101".into()),
        usage(1, 0),
        Delta::Thinking("Two ".into()),
        Delta::Thinking("files.".into()),
        Delta::ThinkingSignature("anthropic.thinking:EqQB".into()),
        Delta::ThinkingSignature("anthropic.redacted:EmwK".into()),
        Delta::ThinkingSignature("anthropic.thinking:Hidden".into()),
        Delta::Text("Let me ".into()),
        Delta::Text("look.".into()),
        call(0, "toolu_1", "read"),
        arguments(0, "{\"p\":"),
        arguments(0, "1}"),
        call(1, "toolu_2", "ls"),
        arguments(1, "{}"),
        call(2, minted, "cat"),
        arguments(2, "{\"a\":[1]}"),
        usage(42, 30),
        Delta::Finished(Finish::ToolCalls),
    ];
    assert_eq!(deltas, expected);
}

#[tokio::test]
async fn ends_in_their_variety() {
    let call = block(0, json!({"type": "tool_use", "id": "t", "name": "ls", "input": {}}));
    let words = || vec![block(0, json!({"type": "text", "text": ""})), text(0, "a"), close(0)];
    let with = |end: &[Value]| [words(), end.to_vec()].concat();
    let none = || json!({"output_tokens": 3});
    for (what, events, expected) in [
        ("the end of a turn", with(&[reason("end_turn", none()), stop()]), Finish::Stop),
        ("a stop string", with(&[reason("stop_sequence", none()), stop()]), Finish::Stop),
        ("the limit", with(&[reason("max_tokens", none()), stop()]), Finish::Length),
        ("the window", with(&[reason("model_context_window_exceeded", none())]), Finish::Length),
        ("a refusal", with(&[reason("refusal", none()), stop()]), Finish::Refusal),
        ("no closing event", with(&[reason("end_turn", none())]), Finish::Stop),
        ("no usage", with(&[reason("end_turn", json!(null)), stop()]), Finish::Stop),
        ("nothing said", vec![reason("end_turn", none()), stop()], Finish::Stop),
        ("a call announced, none came", with(&[reason("tool_use", none()), stop()]), Finish::Stop),
        (
            "a call that is not announced",
            vec![call, close(0), reason("end_turn", none()), stop()],
            Finish::ToolCalls,
        ),
        (
            "an error after the end",
            with(&[reason("end_turn", none()), json!({"type": "error", "error": {}})]),
            Finish::Stop,
        ),
    ] {
        let (deltas, failure) = answer_of(messages(&events)).await;
        assert_eq!(failure, None, "{what}");
        assert_eq!(deltas.last(), Some(&Delta::Finished(expected)), "{what}");
    }
}

/// The count at the start knows no output, so it must not stand for the whole answer.
#[tokio::test]
async fn a_count_of_the_start_alone_is_none() {
    let usage = json!({"input_tokens": 9, "output_tokens": 1});
    let (deltas, failure) = answer_of(messages(&[
        start(usage),
        block(0, json!({"type": "text", "text": "words"})),
        close(0),
        reason("end_turn", json!(null)),
        stop(),
    ]))
    .await;
    assert_eq!(failure, None);
    let reports: Vec<_> = deltas
        .iter()
        .filter_map(|d| if let Delta::Usage(u) = d { Some(*u) } else { None })
        .collect();
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[1], Usage::default(), "a report of nothing leaves the count to the host");
}

#[tokio::test]
async fn broken_streams() {
    let opened = || vec![block(0, json!({"type": "text", "text": ""})), text(0, "a")];
    let tool = block(1, json!({"type": "tool_use", "id": "t", "name": "ls", "input": {}}));
    let nameless = block(1, json!({"type": "tool_use", "id": "t", "name": "", "input": {}}));
    let broke_off = |e: &ProviderError| {
        matches!(e, ProviderError::Connection { sent: Sent::Maybe, reason, .. }
            if reason.contains("broke off"))
    };
    let malformed = |e: &ProviderError| matches!(e, ProviderError::Malformed { .. });
    let overloaded = |e: &ProviderError| {
        matches!(e, ProviderError::Status { status: 529, reason, .. } if reason == "Overloaded")
            && e.is_transient()
    };
    let overload =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    for (what, tail, is_expected) in [
        ("an end without a reason", vec![stop()], &malformed as &dyn Fn(&ProviderError) -> bool),
        ("closed in the middle", vec![], &broke_off),
        ("closed behind a block", vec![close(0)], &broke_off),
        ("overloaded in the middle", vec![overload], &overloaded),
        ("a piece of no block", vec![text(7, "x")], &malformed),
        (
            "a piece of another kind",
            vec![piece(0, json!({"type": "thinking_delta", "thinking": "x"}))],
            &malformed,
        ),
        ("a call without a name", vec![nameless], &malformed),
        ("half a call", vec![tool, reason("tool_use", json!(null)), stop()], &malformed),
        ("a piece without its text", vec![piece(0, json!({"type": "text_delta"}))], &malformed),
    ] {
        let (deltas, failure) = answer_of(messages(&[opened(), tail].concat())).await;
        let failure = failure.unwrap_or_else(|| panic!("{what}: {deltas:?}"));
        assert!(is_expected(&failure), "{what}: {failure:?}");
        // What came before the break was delivered.
        assert_eq!(said(&deltas), "a", "{what}");
    }
}

#[tokio::test]
async fn deltas_arrive_before_the_answer_is_whole() {
    let gate = Arc::new(Notify::new());
    let send = |events: &[Value]| chunk(events.iter().map(message).collect::<String>().as_bytes());
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let first =
        [start(usage.clone()), block(0, json!({"type": "text", "text": ""})), text(0, "one")];
    let rest = [text(0, "two"), close(0), reason("end_turn", usage), stop()];
    let play = vec![head(), send(&first), Step::Gate(Arc::clone(&gate)), send(&rest), end()];
    let double = Double::start(vec![play]).await;
    let provider = Anthropic::new(config(&double.base_url())).unwrap();
    timeout(DEADLINE, async {
        let mut stream = provider.call(call()).await.unwrap();
        // The server holds the rest back until the first text was seen.
        while stream.next().await.unwrap().unwrap() != Delta::Text("one".into()) {}
        gate.notify_one();
        let rest: Vec<_> = stream.map(Result::unwrap).collect().await;
        assert_eq!(said(&rest), "two");
        assert_eq!(rest.last(), Some(&Delta::Finished(Finish::Stop)));
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn pings_alone_are_given_up() {
    let gone = Arc::new(Notify::new());
    let ping = message(&json!({"type": "ping"}));
    let Step::Send(ping) = chunk(ping.as_bytes()) else { unreachable!() };
    let double = Double::start(vec![vec![head(), Step::Flood(ping, Arc::clone(&gone))]]).await;
    let mut config = config(&double.base_url());
    config.timeouts.stall = Duration::from_millis(50);
    let (_, failure) = collect(&Anthropic::new(config).unwrap()).await;
    assert_eq!(failure.unwrap().to_string(), "p: only keep-alives for 50ms");
    timeout(DEADLINE, gone.notified()).await.unwrap();
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let gone = Arc::new(Notify::new());
    let open = message(&block(0, json!({"type": "text", "text": ""})));
    let Step::Send(flood) = chunk(message(&text(0, &"x".repeat(1_000))).as_bytes()) else {
        unreachable!()
    };
    let play = vec![head(), chunk(open.as_bytes()), Step::Flood(flood, Arc::clone(&gone))];
    let (deltas, failure) = answer_of(play).await;
    assert!(failure.unwrap().to_string().contains("output limit"));
    // 100 tokens were asked for; none has more than 256 bytes.
    assert_eq!(deltas.len(), 25);
    timeout(DEADLINE, gone.notified()).await.unwrap();
}

#[tokio::test]
async fn silence_is_given_up_and_dropping_closes() {
    for dropped in [false, true] {
        let gone = Arc::new(Notify::new());
        let first = message(&start(json!({"input_tokens": 1, "output_tokens": 1})));
        let play = vec![head(), chunk(first.as_bytes()), Step::SeeClosed(Arc::clone(&gone))];
        let double = Double::start(vec![play]).await;
        let mut config = config(&double.base_url());
        if dropped {
            let provider = Anthropic::new(config).unwrap();
            let mut stream = timeout(DEADLINE, provider.call(call())).await.unwrap().unwrap();
            let first = timeout(DEADLINE, stream.next()).await.unwrap();
            assert_eq!(first, Some(Ok(Delta::Model("claude-x-20260101".into()))));
            drop(stream);
        } else {
            config.timeouts.idle = Duration::from_secs(1);
            let (_, failure) = collect(&Anthropic::new(config).unwrap()).await;
            assert!(failure.unwrap().to_string().contains("silent for 1s"));
        }
        timeout(DEADLINE, gone.notified()).await.unwrap();
    }
}
