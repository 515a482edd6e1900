//! A history that is too long for the fallback: shortened, said, and shortened once more when the
//! fallback's tokenizer was only an estimate.

use domain::chat::{AssistantPart, Delta, Finish, Message, Request, ToolCall, ToolResult};
use domain::provider::ProviderError;
use domain::{Event, LeftOut, OnExceeded, Part};
use llm::{Item, LlmError};
use store::ledger::Cap;

use crate::bench::{Bench, cap, rest};

fn degrading() -> Bench {
    let capped = Cap { fallback: Some("fake/free".into()), ..cap(0, OnExceeded::Degrade) };
    Bench::new(vec![capped])
}

/// Steps of a tool whose results have so many tokens each, of the four bytes that the fake counts.
fn steps(count: usize, tokens: usize) -> Request {
    let mut messages = vec![Message::User(vec![Part::text("go on")])];
    for n in 0..count {
        let call_id = format!("call_{n}");
        messages.push(Message::Assistant(vec![AssistantPart::ToolCall(ToolCall {
            id: call_id.clone(),
            name: "read".into(),
            arguments: "{}".into(),
            signature: None,
        })]));
        let content = vec![Part::text("word".repeat(tokens))];
        messages.push(Message::Tool(ToolResult { call_id, content, failed: false }));
    }
    Request { messages, ..Request::default() }
}

fn left_out(events: &[Event]) -> Vec<LeftOut> {
    let of = |event: &Event| match event {
        Event::Downgrade { left_out, .. } => Some(*left_out),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_fallback_is_left_out_and_said() {
    let mut bench = degrading();
    // The window has 100,000 tokens, 4,000 of them for the answer.
    let (completion, incoming) = bench.called(steps(5, 30_000)).await;
    let sent = incoming.call.request.clone();
    assert_eq!(sent.messages.len(), 11, "calls and results stay pairs");
    let bytes = |message: &Message| match message {
        Message::Tool(result) => result.content.iter().map(Part::size).sum(),
        _ => 0,
    };
    let results: Vec<usize> = sent.messages.iter().map(bytes).filter(|size| *size > 0).collect();
    assert_eq!(results[2..], [120_000; 3]);
    assert!(results[..2].iter().all(|size| *size < 100), "{results:?}");
    let said = left_out(&bench.log.events());
    assert_eq!(said, [LeftOut { tool_results: 2, ..LeftOut::default() }]);
    let upstream = incoming.accept();
    upstream.send(Delta::Finished(Finish::Stop)).await;
    assert!(matches!(rest(&completion).await.as_slice(), [Item::Finished(_)]));
    assert!(bench.history()[0].usage.input < 96_000);
}

#[tokio::test(start_paused = true)]
async fn the_requested_model_gets_its_history_whole() {
    let mut bench = Bench::new(Vec::new());
    let request = steps(5, 30_000);
    let (_completion, incoming) = bench.called(request.clone()).await;
    assert_eq!(incoming.call.request, request);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_refuses_what_seemed_to_fit_gets_less_of_it() {
    let mut bench = degrading();
    let (completion, incoming) = bench.called(steps(5, 15_000)).await;
    assert_eq!(left_out(&bench.log.events()), [LeftOut::default()]);
    let first = incoming.call.request.clone();
    // Its own tokenizer sees twice as many.
    incoming.refuse(ProviderError::ContextExceeded { window: 50_000 });
    let again = bench.next_call().await;
    assert_eq!(again.call.request.messages.len(), first.messages.len());
    assert_ne!(again.call.request, first);
    let events = bench.log.events();
    let Some(Event::Retry { reason, delay_ms: 0, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert!(reason.contains("left out: 2 tool results"), "{reason}");
    again.accept().send(Delta::Finished(Finish::Stop)).await;
    assert!(matches!(rest(&completion).await.as_slice(), [Item::Finished(_)]));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_refuses_everything_fails_honestly() {
    let mut bench = degrading();
    let completion = bench.complete(steps(5, 15_000)).await.unwrap();
    let mut asked = 0;
    let items = {
        let mut ended = Box::pin(rest(&completion));
        loop {
            tokio::select! {
                items = &mut ended => break items,
                incoming = bench.calls.recv() => {
                    asked += 1;
                    incoming.unwrap().refuse(ProviderError::ContextExceeded { window: 0 });
                }
            }
        }
    };
    assert_eq!(items, [Item::Failed(LlmError::ContextExceeded { window: 0 })]);
    assert!((2..10).contains(&asked), "{asked}");
    assert_eq!(bench.used(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_last_message_that_fits_no_window_is_an_honest_error() {
    let bench = degrading();
    let request = Request {
        messages: vec![Message::User(vec![Part::text("word".repeat(200_000))])],
        ..Request::default()
    };
    let Err(error) = bench.complete(request).await else { panic!("it was let through") };
    let LlmError::BudgetExhausted { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("its fallback cannot answer"), "{message}");
    assert!(message.contains("window of 100000 has room for 99744"), "{message}");
    assert_eq!(bench.used(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_the_fallback_does_not_have_stays_behind() {
    let extra = serde_json::json!({"seed": 7, "top_p": 0.5});
    let request = Request { extra: extra.as_object().cloned().unwrap_or_default(), ..steps(1, 10) };
    let mut bench = degrading();
    let (_completion, incoming) = bench.called(request).await;
    let left: Vec<&String> = incoming.call.request.extra.keys().collect();
    assert_eq!((incoming.call.model.as_str(), left), ("free", vec![&"top_p".to_owned()]));
}
