//! Every way in which a call ends, and what is booked for it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::chat::{Delta, Finish, Request, Usage};
use domain::provider::{ProviderError, Sent};
use domain::{Event, NanoDollars};
use llm::{Item, LlmError};

use crate::bench::{Bench, request, rest};
use crate::fake::{MAX_OUTPUT, status};

#[derive(Debug)]
enum End {
    Finished,
    Failed(ProviderError),
    /// The stream ends without a word.
    Nothing,
}

fn text(bytes: usize) -> Delta {
    Delta::Text("x".repeat(bytes))
}

fn usage(input: u64, output: u64, reasoning: u64) -> Usage {
    Usage { input, output, reasoning, ..Usage::default() }
}

fn malformed() -> ProviderError {
    ProviderError::Malformed { provider: "fake".into(), reason: "no".into() }
}

#[tokio::test(start_paused = true)]
async fn what_was_used_is_booked() {
    let call = Delta::ToolCallStart { index: 0, id: "1".into(), name: "1234".into() };
    let fragment = Delta::ToolCallArguments { index: 0, fragment: "12345678".into() };
    for (deltas, end, expected) in [
        // The provider's word holds; the last one.
        (vec![text(400), Delta::Usage(usage(9, 5, 1))], End::Finished, usage(9, 5, 1)),
        // Nothing said, or nothing at all: counted, four bytes a token.
        (vec![text(400)], End::Finished, usage(1, 100, 0)),
        (vec![text(400), Delta::Usage(Usage::default())], End::Finished, usage(1, 100, 0)),
        (vec![Delta::Thinking("x".repeat(40)), text(400)], End::Finished, usage(1, 110, 10)),
        (vec![call, fragment], End::Finished, usage(1, 3, 0)),
        (vec![text(70_000), text(70_000)], End::Finished, usage(1, 35_000, 0)),
        (vec![], End::Finished, usage(1, 0, 0)),
        // Broken in the middle: counted, and an early report does not hide what came after it.
        (vec![text(400)], End::Failed(malformed()), usage(1, 100, 0)),
        (vec![text(400)], End::Nothing, usage(1, 100, 0)),
        (vec![], End::Nothing, usage(1, 0, 0)),
        (vec![Delta::Usage(usage(9, 1, 0)), text(400)], End::Nothing, usage(9, 100, 0)),
        (vec![Delta::Usage(usage(9, 200, 0)), text(400)], End::Nothing, usage(9, 200, 0)),
        (vec![text(4)], End::Failed(status(500, None)), usage(1, 1, 0)),
    ] {
        let case = format!("{end:?} {expected:?}");
        let mut bench = Bench::new(Vec::new());
        let (completion, upstream) = bench.streaming(request()).await;
        let finishes = matches!(end, End::Finished);
        let sending = async move {
            for delta in deltas {
                upstream.send(delta).await;
            }
            match end {
                End::Finished => upstream.send(Delta::Finished(Finish::Stop)).await,
                End::Failed(error) => upstream.fail(error).await,
                End::Nothing => {}
            }
        };
        let ((), items) = tokio::join!(sending, rest(&completion));
        let cost = NanoDollars(expected.input + expected.output);
        match items.last() {
            Some(Item::Finished(outcome)) if finishes => {
                assert_eq!((outcome.usage, outcome.cost), (expected, cost), "{case}");
            }
            Some(Item::Failed(LlmError::ProviderFailed { .. })) if !finishes => {
                let last = bench.log.types().split_off(1);
                assert_eq!(last, ["step_finished", "step_failed"], "{case}");
            }
            other => panic!("{case}: {other:?}"),
        }
        assert_eq!(bench.used(), (cost.0, 0), "{case}");
        assert_eq!(bench.history()[0].usage, expected, "{case}");
        assert!(bench.calls.try_recv().is_err(), "{case}: tried again after a delta");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_the_first_delta_costs_nothing_unless_it_may_have_been_processed() {
    let connection = |sent| ProviderError::Connection {
        provider: "fake".into(),
        reason: "broke off".into(),
        sent,
    };
    for (error, expected, cost) in [
        (ProviderError::InvalidRequest("no".into()), LlmError::InvalidRequest("no".into()), 0),
        (ProviderError::ContextExceeded { window: 7 }, LlmError::ContextExceeded { window: 7 }, 0),
        (
            status(401, None),
            LlmError::ProviderFailed {
                status: Some(401),
                message: "fake: status 401: no".into(),
                retriable: false,
            },
            0,
        ),
        (
            malformed(),
            LlmError::ProviderFailed {
                status: None,
                message: "fake: malformed answer: no".into(),
                retriable: false,
            },
            1,
        ),
    ] {
        let mut bench = Bench::new(Vec::new());
        let (completion, incoming) = bench.called(request()).await;
        incoming.refuse(error);
        assert_eq!(rest(&completion).await, [Item::Failed(expected)]);
        assert_eq!(bench.used(), (cost, 0));
        assert!(bench.calls.try_recv().is_err(), "it was tried again");
    }
    // Each of four attempts may have been read.
    for (sent, cost) in [(Sent::No, 0), (Sent::Maybe, 4)] {
        let mut bench = Bench::new(Vec::new());
        let completion = bench.complete(request()).await.unwrap();
        for _ in 0..4 {
            bench.next_call().await.refuse(connection(sent));
        }
        assert_eq!(rest(&completion).await.len(), 1);
        assert_eq!(bench.used(), (cost, 0), "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_been_processed_is_booked_with_the_one_that_answered() {
    let broken = ProviderError::Connection {
        provider: "fake".into(),
        reason: "broke off".into(),
        sent: Sent::Maybe,
    };
    // (how the first attempt failed, after so many seconds, tokens in and out that it may have used)
    for (error, seconds, lost) in [
        (broken.clone(), 0, (1, 0)),
        (broken.clone(), 2, (1, 600)),
        // A gateway that lost patience says nothing about the model behind it.
        (status(504, None), 5, (1, 1_500)),
        (status(408, None), 1, (1, 300)),
        // No more than it was allowed.
        (broken, 3_600, (1, 4_000)),
        // The provider says that it failed, or was never asked.
        (status(500, None), 5, (0, 0)),
        (status(503, None), 5, (0, 0)),
        (status(429, None), 5, (0, 0)),
    ] {
        let case = format!("{error} after {seconds} s");
        // Enough for both.
        let mut bench = Bench::new(Vec::new());
        let (completion, incoming) = bench.called(request()).await;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        incoming.refuse(error);
        if lost.1 == 4_000 {
            // All that was reserved may be spent, so there is no other attempt.
            assert!(matches!(rest(&completion).await.as_slice(), [Item::Failed(_)]), "{case}");
            assert_eq!(bench.used(), (lost.0 + lost.1, 0), "{case}");
            continue;
        }
        let again = bench.next_call().await;
        let reserved = bench.used().1;
        let most = reserved - 34 - (lost.0 + lost.1);
        assert!(u64::from(again.call.max_output_tokens) <= most, "{case}");
        let upstream = again.accept();
        upstream.send(Delta::Usage(usage(9, 5, 0))).await;
        upstream.send(Delta::Finished(Finish::Stop)).await;
        let items = rest(&completion).await;
        let [Item::Finished(outcome)] = items.as_slice() else { panic!("{case}: {items:?}") };
        assert_eq!(outcome.usage, usage(9 + lost.0, 5 + lost.1, 0), "{case}");
        assert_eq!(bench.used(), (9 + 5 + lost.0 + lost.1, 0), "{case}");
        assert!(bench.used().0 <= reserved, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_stop_is_ended() {
    let mut bench = Bench::new(Vec::new());
    bench.exact.store(true, Ordering::Relaxed);
    let (completion, upstream) = bench.streaming(request()).await;
    let endless = async {
        let mut sent = 0u64;
        while upstream.try_send(text(40)).await {
            sent += 10;
            assert!(sent < u64::from(MAX_OUTPUT) + 200, "{sent} tokens");
        }
    };
    let ((), items) = tokio::join!(endless, rest(&completion));
    let Some(Item::Finished(outcome)) = items.last() else { panic!("{:?}", items.last()) };
    assert_eq!(outcome.finish, Finish::Length);
    let most = u64::from(MAX_OUTPUT);
    assert!((most..most + 200).contains(&outcome.usage.output), "{outcome:?}");
    assert_eq!(bench.used(), (outcome.cost.0, 0));
    assert!(!bench.log.types().contains(&"step_failed".to_owned()), "it ends properly");
    let refused = bench
        .log
        .events()
        .into_iter()
        .any(|event| matches!(event, Event::StepFinished { finish: Some(Finish::Length), .. }));
    assert!(refused, "{:?}", bench.log.events());
}

#[tokio::test(start_paused = true)]
async fn an_early_report_does_not_hide_what_a_cut_answer_used() {
    let mut bench = Bench::new(Vec::new());
    bench.exact.store(true, Ordering::Relaxed);
    let request = Request { max_output_tokens: Some(300), ..request() };
    let (completion, upstream) = bench.streaming(request).await;
    let endless = async {
        upstream.send(Delta::Usage(usage(7, 1, 0))).await;
        while upstream.try_send(text(40)).await {}
    };
    let ((), items) = tokio::join!(endless, rest(&completion));
    let Some(Item::Finished(outcome)) = items.last() else { panic!("{:?}", items.last()) };
    assert_eq!((outcome.finish, outcome.usage.input), (Finish::Length, 7));
    assert!((300..500).contains(&outcome.usage.output), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_is_booked_in_full() {
    for with_text in [false, true] {
        let mut bench = Bench::new(Vec::new());
        bench.caller.model = "fake/panic".into();
        let (completion, upstream) = bench.streaming(request()).await;
        let reserved = bench.used().1;
        if with_text {
            upstream.text("half").await;
        }
        drop(upstream);
        let items = rest(&completion).await;
        assert_eq!(items.len(), 1 + usize::from(with_text));
        assert!(matches!(items.last(), Some(Item::Failed(LlmError::Other(_)))), "{items:?}");
        assert_eq!(bench.used(), (reserved, 0));
        assert_eq!(bench.log.types(), ["step_started", "step_finished", "step_failed"]);
        bench.pipeline.drain().await;
    }
}

#[test]
fn a_runtime_that_ends_books_what_was_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut bench = Bench::new(Vec::new());
    let (open, reserved) = runtime.block_on(async {
        let (completion, upstream) = bench.streaming(request()).await;
        upstream.text("half").await;
        completion.ready().ready().await;
        ((completion, upstream), bench.used().1)
    });
    drop(runtime);
    assert_eq!(bench.used(), (reserved, 0));
    drop(open);
}
