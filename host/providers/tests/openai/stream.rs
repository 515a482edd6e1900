//! Answers of an OpenAI-compatible server, whole, odd and broken.

use std::sync::Arc;
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Provider as _, ProviderError, Sent};
use futures::StreamExt as _;
use providers::openai::OpenAi;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, Step, chunk, end, events, head, stream_of};
use crate::{call, config};

/// Plays one answer and collects what the provider makes of it.
async fn answer_of(play: Vec<Step>) -> (Vec<Delta>, Option<ProviderError>) {
    let double = Double::start(vec![play]).await;
    collect(&OpenAi::new(config(double.base_url())).unwrap()).await
}

async fn collect(provider: &OpenAi) -> (Vec<Delta>, Option<ProviderError>) {
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

fn text(text: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn said(deltas: &[Delta]) -> String {
    deltas
        .iter()
        .filter_map(|d| if let Delta::Text(t) = d { Some(t.as_str()) } else { None })
        .collect()
}

#[tokio::test]
async fn text_thinking_calls_and_usage() {
    let of = |delta: Value| json!({"model": "gpt-x-2026-01-01", "choices": [{"index": 0, "delta": delta}], "usage": null});
    let play = events(&[
        json!({"choices": [], "prompt_filter_results": []}),
        of(json!({"role": "assistant", "content": "", "refusal": null})),
        of(json!({"reasoning_content": "hm", "reasoning": "hm"})),
        of(json!({"reasoning": "mh"})),
        of(json!({"content": "Let me "})),
        of(json!({"content": "look."})),
        of(
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "read", "arguments": ""}}]}),
        ),
        of(
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"p\":"}}, {"index": 1, "id": "b", "function": {"name": "ls", "arguments": "{}"}}]}),
        ),
        of(json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]})),
        json!({"choices": [{"index": 1, "delta": {"content": "another choice"}}]}),
        finish("tool_calls"),
        json!({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29,
            "prompt_tokens_details": {"cached_tokens": 16}, "completion_tokens_details": {"reasoning_tokens": 4}}}),
    ]);
    let (deltas, failure) = answer_of(play).await;
    assert_eq!(failure, None);
    let start = |index, id: &str, name: &str| Delta::ToolCallStart {
        index,
        id: id.into(),
        name: name.into(),
    };
    let piece =
        |index, fragment: &str| Delta::ToolCallArguments { index, fragment: fragment.into() };
    let expected = [
        Delta::Model("gpt-x-2026-01-01".into()),
        Delta::Thinking("hm".into()),
        Delta::Thinking("mh".into()),
        Delta::Text("Let me ".into()),
        Delta::Text("look.".into()),
        start(0, "a", "read"),
        piece(0, "{\"p\":"),
        start(1, "b", "ls"),
        piece(1, "{}"),
        piece(0, "1}"),
        Delta::Usage(Usage { input: 20, cached: 16, cache_written: 0, output: 9, reasoning: 4 }),
        Delta::Finished(Finish::ToolCalls),
    ];
    assert_eq!(deltas, expected);
}

#[tokio::test]
async fn deltas_arrive_before_the_answer_is_whole() {
    let gate = Arc::new(Notify::new());
    let first = format!("data: {}\n\n", text("one"));
    let rest = format!("data: {}\n\ndata: {}\n\ndata: [DONE]\n\n", text("two"), finish("stop"));
    let mut play = stream_of(&[first.as_bytes()]);
    play.extend([Step::Gate(Arc::clone(&gate)), chunk(rest.as_bytes()), end()]);
    let double = Double::start(vec![play]).await;
    let provider = OpenAi::new(config(double.base_url())).unwrap();
    timeout(DEADLINE, async {
        let mut stream = provider.call(call()).await.unwrap();
        // The server holds the rest back until the first delta was seen.
        assert_eq!(stream.next().await, Some(Ok(Delta::Text("one".into()))));
        gate.notify_one();
        let rest: Vec<_> = stream.collect().await;
        assert_eq!(rest, [Ok(Delta::Text("two".into())), Ok(Delta::Finished(Finish::Stop))]);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn characters_and_lines_split_anywhere() {
    let whole = format!(
        ": keep-alive\r\n\r\ndata: {}\r\n\r\n:\r\n\r\ndata:{}\n\nevent: x\nid: 1\ndata: {}\n\ndata: [DONE]\n\n",
        text("Grüße, 世界 🦀"),
        text("!"),
        finish("stop"),
    );
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    let mut play = stream_of(&bytes);
    play.push(end());
    let (deltas, failure) = answer_of(play).await;
    assert_eq!((said(&deltas).as_str(), failure), ("Grüße, 世界 🦀!", None));
}

#[tokio::test]
async fn ends_in_their_variety() {
    let line = |event: &Value| format!("data: {event}\n\n");
    let with_call = json!({"choices": [{"delta": {"tool_calls": [{"function": {"name": "ls", "arguments": "{}"}}]}}]});
    let refusal = json!({"choices": [{"delta": {"refusal": "No."}}]});
    let usage =
        json!({"choices": [{"delta": {}, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}]});
    let error = json!({"error": {"message": "late"}});
    for (what, body, expected) in [
        ("no usage", line(&text("a")) + &line(&finish("stop")) + "data: [DONE]\n\n", Finish::Stop),
        ("no [DONE]", line(&text("a")) + &line(&finish("length")), Finish::Length),
        ("no finish reason", line(&text("a")) + "data: [DONE]\n\n", Finish::Stop),
        (
            "stop with calls",
            line(&with_call) + &line(&finish("stop")) + "data: [DONE]\n\n",
            Finish::ToolCalls,
        ),
        ("calls without a reason", line(&with_call) + "data: [DONE]\n\n", Finish::ToolCalls),
        (
            "calls announced, none came",
            line(&text("a")) + &line(&finish("tool_calls")),
            Finish::Stop,
        ),
        ("a filter", line(&finish("content_filter")) + "data: [DONE]\n\n", Finish::Refusal),
        (
            "a refusal",
            line(&refusal) + &line(&finish("stop")) + "data: [DONE]\n\n",
            Finish::Refusal,
        ),
        ("usage in the choice", line(&usage) + &line(&finish("stop")), Finish::Stop),
        ("an error after the end", line(&finish("stop")) + &line(&error), Finish::Stop),
        (
            "events after [DONE]",
            line(&finish("stop")) + "data: [DONE]\n\ndata: {\"x\"\n\n",
            Finish::Stop,
        ),
    ] {
        let mut play = stream_of(&[body.as_bytes()]);
        play.push(end());
        let (deltas, failure) = answer_of(play).await;
        assert_eq!(failure, None, "{what}");
        assert_eq!(deltas.last(), Some(&Delta::Finished(expected)), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_is_complete_survives_a_missing_end() {
    // Neither [DONE] nor the end of the body: cut right after the finish reason.
    let body = format!("data: {}\n\ndata: {}\n\n", text("a"), finish("stop"));
    let mut play = stream_of(&[body.as_bytes()]);
    play.push(Step::Close);
    let (deltas, failure) = answer_of(play).await;
    assert_eq!((deltas.last(), failure), (Some(&Delta::Finished(Finish::Stop)), None));
}

#[tokio::test]
async fn broken_streams() {
    let first = format!("data: {}\n\n", text("a"));
    for (what, mut tail, is_expected) in [
        ("cut between events", vec![Step::Close], broke_off as fn(&ProviderError) -> bool),
        ("cut inside an event", vec![chunk(b"data: {\"choi"), Step::Close], broke_off),
        ("cut inside a chunk", vec![Step::Send(b"ff\r\ndata".to_vec()), Step::Close], broke_off),
        ("ended without an end", vec![end()], broke_off),
        ("half an event, then the end", vec![chunk(b"data: {\"choi"), end()], broke_off),
        ("not JSON", vec![chunk(b"data: {\"choices\": [}\n\n"), end()], malformed),
        ("another JSON", vec![chunk(b"data: [1]\n\n"), end()], malformed),
        ("wrong types", vec![chunk(b"data: {\"choices\": \"none\"}\n\n"), end()], malformed),
        ("not UTF-8", vec![chunk(b"data: \"\xff\"\n\n"), end()], malformed),
        ("no chunked body", vec![Step::Send(b"not a chunk\r\n".to_vec()), Step::Close], broke_off),
        ("an error object", vec![chunk(b"data: {\"error\": {\"message\": \"dead\", \"code\": 502}}\n\n"), end()], failed_502),
        ("an unnamed error", vec![chunk(b"data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n"), end()], malformed),
        ("a nameless call", vec![chunk(b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}\n\ndata: [DONE]\n\n"), end()], malformed),
    ] {
        let mut play = stream_of(&[first.as_bytes()]);
        play.append(&mut tail);
        let (deltas, failure) = answer_of(play).await;
        let failure = failure.unwrap_or_else(|| panic!("{what}: {deltas:?}"));
        assert!(is_expected(&failure), "{what}: {failure:?}");
        // What came before the break was delivered.
        assert_eq!(deltas.first(), Some(&Delta::Text("a".into())), "{what}");
    }
    let (_, nothing) = answer_of(events(&[])).await;
    assert!(matches!(&nothing, Some(error) if malformed(error)), "{nothing:?}");
}

fn broke_off(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Connection { sent: Sent::Maybe, reason, .. } if reason.contains("broke off"))
}

fn malformed(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Malformed { .. })
}

fn failed_502(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Status { status: 502, reason, .. } if reason == "dead")
}

#[tokio::test]
async fn an_endless_line_and_an_endless_event_are_cut() {
    let line = vec![b'x'; 64 << 10];
    let data: Vec<u8> = [b"data: ".as_slice(), &line, b"\n"].concat();
    for (what, piece) in [("a line", line), ("lines of one event", data)] {
        let ended = Arc::new(Notify::new());
        let Step::Send(piece) = chunk(&piece) else { unreachable!() };
        let play = vec![head(), chunk(b"data: "), Step::Flood(piece, Arc::clone(&ended))];
        let (_, failure) = answer_of(play).await;
        let Some(ProviderError::Malformed { reason, .. }) = failure else {
            panic!("{what}: {failure:?}");
        };
        assert!(reason.contains("longer than 4194304 bytes"), "{what}: {reason}");
        timeout(DEADLINE, ended.notified()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let ended = Arc::new(Notify::new());
    let Step::Send(piece) = chunk(format!("data: {}\n\n", text(&"x".repeat(1000))).as_bytes())
    else {
        unreachable!()
    };
    let (deltas, failure) = answer_of(vec![head(), Step::Flood(piece, Arc::clone(&ended))]).await;
    let Some(ProviderError::Malformed { reason, .. }) = failure else { panic!("{failure:?}") };
    assert!(reason.contains("output limit"), "{reason}");
    // 100 tokens were asked for; none has more than 256 bytes.
    assert_eq!(deltas.len(), 25);
    timeout(DEADLINE, ended.notified()).await.unwrap();
}

#[tokio::test]
async fn silence_is_given_up() {
    let first = format!("data: {}\n\n", text("a"));
    for (what, play, contains) in [
        ("before the headers", vec![], "sent nothing for 1s"),
        ("in the answer", stream_of(&[first.as_bytes()]), "silent for 1s"),
    ] {
        let closed = Arc::new(Notify::new());
        let mut play = play;
        play.push(Step::SeeClosed(Arc::clone(&closed)));
        let double = Double::start(vec![play]).await;
        let mut config = config(double.base_url());
        config.timeouts.idle = Duration::from_secs(1);
        let (_, failure) = collect(&OpenAi::new(config).unwrap()).await;
        let Some(ProviderError::Connection { reason, sent: Sent::Maybe, .. }) = failure else {
            panic!("{what}: {failure:?}");
        };
        assert!(reason.contains(contains), "{what}: {reason}");
        timeout(DEADLINE, closed.notified()).await.unwrap();
    }
}

#[tokio::test]
async fn keep_alives_alone_are_given_up() {
    let closed = Arc::new(Notify::new());
    let mut play = stream_of(&[b": still here\n\n"]);
    play.push(Step::SeeClosed(Arc::clone(&closed)));
    let double = Double::start(vec![play]).await;
    let mut config = config(double.base_url());
    config.timeouts.stall = Duration::from_millis(50);
    let (_, failure) = collect(&OpenAi::new(config).unwrap()).await;
    let reason = failure.unwrap().to_string();
    assert_eq!(reason, "openai: only keep-alives for 50ms");
    timeout(DEADLINE, closed.notified()).await.unwrap();
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let closed = Arc::new(Notify::new());
    let first = format!("data: {}\n\n", text("a"));
    let mut play = stream_of(&[first.as_bytes()]);
    play.push(Step::SeeClosed(Arc::clone(&closed)));
    let double = Double::start(vec![play]).await;
    let provider = OpenAi::new(config(double.base_url())).unwrap();
    timeout(DEADLINE, async {
        let mut stream = provider.call(call()).await.unwrap();
        assert_eq!(stream.next().await, Some(Ok(Delta::Text("a".into()))));
        drop(stream);
        closed.notified().await;
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    let closed = Arc::new(Notify::new());
    let mut double = Double::start(vec![vec![Step::SeeClosed(Arc::clone(&closed))]]).await;
    let provider = OpenAi::new(config(double.base_url())).unwrap();
    let waiting = tokio::spawn(async move { provider.call(call()).await.map(|_| ()) });
    double.next_request().await;
    waiting.abort();
    timeout(DEADLINE, closed.notified()).await.unwrap();
}

#[tokio::test]
async fn the_connection_is_used_again() {
    // The connection comes back in the background, so a call right behind may open another one.
    const CALLS: usize = 500;
    let plays = (0..CALLS).map(|_| events(&[text("a"), finish("stop")])).collect();
    let mut double = Double::start(plays).await;
    let provider = OpenAi::new(config(double.base_url())).unwrap();
    let mut connections = std::collections::BTreeSet::new();
    for _ in 0..CALLS {
        let (deltas, failure) = collect(&provider).await;
        assert_eq!((said(&deltas).as_str(), failure), ("a", None));
        if !connections.insert(double.next_request().await.connection) {
            return;
        }
    }
    panic!("{CALLS} calls, each on a connection of its own");
}
