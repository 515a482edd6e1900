//! A call that goes well: the order of things, back-pressure, the end of a process.

use std::time::Duration;

use domain::chat::{Delta, Finish, Outcome, Usage};
use domain::{Event, NanoDollars};
use futures::poll;
use llm::Item;
use store::ledger::Ending;
use tokio::time::timeout;

use crate::bench::{Bench, request, rest};
use crate::fake::MAX_OUTPUT;

/// Of `request()` with the whole output.
const WORST_CASE: u64 = 34 + MAX_OUTPUT as u64;

#[tokio::test(start_paused = true)]
async fn reserved_before_the_call_and_settled_before_the_end() {
    let mut bench = Bench::new(Vec::new());
    let (completion, incoming) = bench.called(request()).await;
    assert_eq!(incoming.reserved, NanoDollars(WORST_CASE));
    assert_eq!(incoming.call.model, "big");
    assert_eq!(incoming.call.max_output_tokens, MAX_OUTPUT);
    assert_eq!(incoming.call.session, bench.caller.session);
    assert_eq!(bench.log.types(), ["step_started"]);

    let upstream = incoming.accept();
    upstream.send(Delta::Model("big-2026".into())).await;
    for text in ["he", "llo"] {
        upstream.text(text).await;
        assert_eq!(completion.next().await, Some(Item::Delta(Delta::Text(text.into()))));
        assert_eq!(bench.used(), (0, WORST_CASE));
    }
    let usage = Usage { input: 20, cached: 5, output: 7, reasoning: 2, ..Usage::default() };
    upstream.send(Delta::Usage(Usage { output: 1, ..usage })).await;
    upstream.send(Delta::Usage(usage)).await;
    upstream.send(Delta::Finished(Finish::Stop)).await;

    let ready = completion.ready();
    ready.clone().ready().await;
    assert_eq!(bench.used(), (27, 0), "the ledger is settled when the end can be read");
    assert_eq!(bench.log.types(), ["step_started", "step_finished"]);
    let outcome = Outcome {
        finish: Finish::Stop,
        model: "fake/big-2026".into(),
        downgraded_from: None,
        usage,
        cost: NanoDollars(27),
    };
    assert_eq!(completion.next().await, Some(Item::Finished(outcome)));
    assert_eq!(completion.next().await, None);
    assert!(ready.is_ready());
    upstream.gone().await;

    let [spend] = bench.history().try_into().unwrap();
    assert_eq!(spend.requested_model, "fake/big");
    assert_eq!(spend.model, "fake/big");
    assert_eq!(spend.served_model.as_deref(), Some("fake/big-2026"));
    assert_eq!((spend.usage, spend.cost, spend.ending), (usage, NanoDollars(27), Ending::Settled));
    assert_eq!(spend.task, crate::bench::TASK);
    let Some(Event::StepFinished { step: 1, finish: Some(Finish::Stop), model, .. }) =
        bench.log.events().pop()
    else {
        panic!("{:?}", bench.log.events());
    };
    assert_eq!(model, "fake/big-2026");
}

#[tokio::test(start_paused = true)]
async fn steps_are_numbered_from_one_in_a_turn() {
    let mut bench = Bench::new(Vec::new());
    for expected in 1..=3 {
        let (completion, upstream) = bench.streaming(request()).await;
        upstream.send(Delta::Finished(Finish::Stop)).await;
        rest(&completion).await;
        let Some(Event::StepFinished { step, .. }) = bench.log.events().pop() else { panic!() };
        assert_eq!(step, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_provider_back() {
    const PIECE: usize = 1_000;
    let mut bench = Bench::new(Vec::new());
    let (completion, upstream) = bench.streaming(request()).await;
    let piece = "x".repeat(PIECE);
    let mut sent = 0usize;
    // The clock only moves when nothing else can.
    while timeout(Duration::from_secs(1), upstream.text(&piece)).await.is_ok() {
        sent += PIECE;
        assert!(sent < 300_000, "nobody reads, and the provider is read all the same");
    }
    assert!(sent > 200_000, "{sent}");
    let mut read = 0;
    while read < 2 * PIECE {
        let Some(Item::Delta(Delta::Text(text))) = completion.next().await else { panic!() };
        read += text.len();
    }
    upstream.text("there is room again").await;
    drop(completion);
    upstream.gone().await;
    bench.pipeline.drain().await;
    assert_eq!(bench.used().1, 0);
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_the_settlement() {
    let mut bench = Bench::new(Vec::new());
    let (completion, upstream) = bench.streaming(request()).await;
    {
        let pipeline = bench.pipeline.clone();
        let mut drained = Box::pin(pipeline.drain());
        assert!(poll!(&mut drained).is_pending());
        upstream.send(Delta::Finished(Finish::Stop)).await;
        drained.await;
    }
    assert_eq!(bench.used().1, 0);
    assert_eq!(rest(&completion).await.len(), 1);
    // And again: the pipeline goes on.
    let (completion, upstream) = bench.streaming(request()).await;
    drop(completion);
    upstream.gone().await;
    bench.pipeline.drain().await;
    assert_eq!((bench.used().1, bench.history().len()), (0, 2));
}
