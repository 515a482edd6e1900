//! Trying again: only what may pass, only before the first delta, as late as the provider asks.

use std::time::Duration;

use domain::Event;
use domain::chat::{Delta, Finish};
use domain::provider::{ProviderError, Sent};
use llm::{Item, LlmError};
use tokio::time::Instant;

use crate::bench::{Bench, request, rest};
use crate::fake::status;

fn unreachable() -> ProviderError {
    ProviderError::Connection {
        provider: "fake".into(),
        reason: "no connection".into(),
        sent: Sent::No,
    }
}

#[tokio::test(start_paused = true)]
async fn passing_faults_are_tried_again() {
    for (error, at_least_ms) in [
        (status(429, Some(3_000)), 3_000),
        (status(429, None), 500),
        (status(503, Some(0)), 500),
        (status(500, None), 500),
        (status(408, None), 500),
        (unreachable(), 500),
    ] {
        let mut bench = Bench::new(Vec::new());
        let (completion, incoming) = bench.called(request()).await;
        let first = incoming.call.clone();
        let refused = Instant::now();
        incoming.refuse(error.clone());
        let again = bench.next_call().await;
        let waited = refused.elapsed();
        assert!(waited >= Duration::from_millis(at_least_ms), "{error}: {waited:?}");
        assert!(waited <= Duration::from_millis(at_least_ms + 1_500), "{error}: {waited:?}");
        assert_eq!(again.call.request, first.request);
        let Some(Event::Retry { step: 1, attempt: 1, reason, delay_ms }) = bench.log.events().pop()
        else {
            panic!("{:?}", bench.log.events());
        };
        assert_eq!(reason, error.to_string());
        assert!(Duration::from_millis(delay_ms) <= waited);
        assert_eq!(bench.history().len(), 0, "one reservation for all attempts");
        let upstream = again.accept();
        upstream.text("1234").await;
        upstream.send(Delta::Finished(Finish::Stop)).await;
        let items = rest(&completion).await;
        assert!(matches!(items.as_slice(), [Item::Delta(_), Item::Finished(_)]), "{items:?}");
        // Who gave up waiting may have been answered for.
        let lost = u64::from(error == status(408, None));
        assert_eq!(bench.used(), (2 + lost, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_before_its_first_delta_is_tried_again() {
    let mut bench = Bench::new(Vec::new());
    let (completion, upstream) = bench.streaming(request()).await;
    upstream.fail(status(529, None)).await;
    let upstream = bench.next_call().await.accept();
    upstream.send(Delta::Finished(Finish::Stop)).await;
    assert!(matches!(rest(&completion).await.as_slice(), [Item::Finished(_)]));
}

#[tokio::test(start_paused = true)]
async fn it_ends_after_three_and_reports_the_last_fault() {
    let mut bench = Bench::new(Vec::new());
    let (completion, incoming) = bench.called(request()).await;
    incoming.refuse(status(500, None));
    for _ in 0..3 {
        bench.next_call().await.refuse(status(429, Some(1_000)));
    }
    let last = rest(&completion).await;
    assert_eq!(last, [Item::Failed(LlmError::RateLimited { after_ms: 1_000 })]);
    let retries = bench.log.types().iter().filter(|name| *name == "retry").count();
    assert_eq!(retries, 3);
    assert!(bench.calls.try_recv().is_err());
    assert_eq!(bench.used(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_is_the_callers_to_wait_for() {
    let mut bench = Bench::new(Vec::new());
    let (completion, incoming) = bench.called(request()).await;
    let refused = Instant::now();
    incoming.refuse(status(429, Some(60_000)));
    let last = rest(&completion).await;
    assert_eq!(last, [Item::Failed(LlmError::RateLimited { after_ms: 60_000 })]);
    assert!(refused.elapsed() < Duration::from_millis(1));
    assert!(bench.calls.try_recv().is_err());
}
