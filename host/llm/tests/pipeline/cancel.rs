//! Giving up: whatever the moment and whoever does it, the provider is let go and the ledger holds
//! what was used.

use std::time::Duration;

use llm::{Item, LlmError};
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, bounded, request, rest};
use crate::fake::{Upstream, status};

#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The provider has not accepted the call.
    Connecting,
    /// It refused, and the next attempt is due in a while.
    Retrying,
    /// It accepted and says nothing.
    BeforeTheFirstDelta,
    /// It sent eight bytes.
    AfterTheFirstDelta,
    /// It sends faster than anyone reads.
    Stalled,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Drop,
    Cancel,
    EndOfTurn,
}

#[tokio::test(start_paused = true)]
async fn at_any_moment_in_any_way() {
    for (moment, spent) in [
        // The request may have been processed: its input.
        (Moment::Connecting, 1),
        (Moment::Retrying, 0),
        (Moment::BeforeTheFirstDelta, 1),
        (Moment::AfterTheFirstDelta, 3),
        (Moment::Stalled, 1 + 50_000),
    ] {
        for way in [Way::Drop, Way::Cancel, Way::EndOfTurn] {
            check(moment, way, spent).await;
        }
    }
}

async fn check(moment: Moment, way: Way, spent: u64) {
    let case = format!("{moment:?} {way:?}");
    let mut bench = Bench::new(Vec::new());
    let (completion, incoming) = bench.called(request()).await;
    let began = Instant::now();
    let gone: std::pin::Pin<Box<dyn Future<Output = ()>>> = match moment {
        Moment::Connecting => Box::pin(incoming.gone()),
        Moment::Retrying => {
            incoming.refuse(status(429, Some(15_000)));
            settle_down().await;
            assert_eq!(bench.log.types(), ["step_started", "retry"], "{case}");
            Box::pin(async {})
        }
        Moment::BeforeTheFirstDelta => Box::pin(incoming.accept().gone()),
        Moment::AfterTheFirstDelta => {
            let upstream = incoming.accept();
            upstream.text("12345678").await;
            completion.ready().ready().await;
            Box::pin(upstream.gone())
        }
        Moment::Stalled => {
            let upstream = incoming.accept();
            upstream.text(&"x".repeat(200_000)).await;
            stall(&upstream).await;
            Box::pin(upstream.gone())
        }
    };
    let mut reader = Some(completion);
    match way {
        Way::Drop => reader = None,
        Way::Cancel => bench.turn.cancel(),
        Way::EndOfTurn => bench.context.steps.finish().await,
    }
    bounded(gone).await;
    bench.pipeline.drain().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{case}: it was waited for");
    if let Some(completion) = reader {
        let items = rest(&completion).await;
        assert_eq!(items.last(), Some(&Item::Failed(LlmError::Cancelled)), "{case}");
    }
    let (settled, reserved) = bench.used();
    assert_eq!(reserved, 0, "{case}");
    if matches!(moment, Moment::Stalled) {
        assert!(settled >= spent && settled < spent + 50_000, "{case}: {settled}");
    } else {
        assert_eq!(settled, spent, "{case}");
    }
    assert_eq!(bench.history().len(), 1, "{case}");
    assert_eq!(bench.log.types().last().map(String::as_str), Some("step_finished"), "{case}");
    assert!(bench.calls.try_recv().is_err(), "{case}: it was tried again");
}

/// Fills the queue.
async fn stall(upstream: &Upstream) {
    let piece = "x".repeat(10_000);
    while timeout(Duration::from_secs(1), upstream.text(&piece)).await.is_ok() {}
}

/// Lets everything run that can.
async fn settle_down() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_before_stays_readable() {
    let mut bench = Bench::new(Vec::new());
    let (completion, upstream) = bench.streaming(request()).await;
    upstream.text("half").await;
    completion.ready().ready().await;
    bench.turn.cancel();
    upstream.gone().await;
    let items = rest(&completion).await;
    assert!(
        matches!(items.as_slice(), [Item::Delta(_), Item::Failed(LlmError::Cancelled)]),
        "{items:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn giving_up_while_it_waits_for_money_leaves_nothing_reserved() {
    use crate::bench::cap;
    use domain::OnExceeded;
    let bench = Bench::new(vec![cap(10, OnExceeded::Pause)]);
    let waiting = bench.complete(request());
    assert!(timeout(Duration::from_secs(3_600), waiting).await.is_err());
    assert_eq!(bench.used(), (0, 0));
    assert!(bench.history().is_empty());
}
