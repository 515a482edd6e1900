use std::time::Duration;

use bindings::base::content::Part as WitPart;
use bindings::session::turn::Host as _;
use bindings::session::types::Event;
use domain::limits::{EVENT_MAX_BYTES, EVENT_QUEUE};
use domain::{Event as Seen, HarnessEvent, Part};
use tokio::time::timeout;

use crate::bench::Bench;

async fn emit(bench: &mut Bench, text: impl Into<String>) {
    bench.view().emit(Event::Thought(text.into())).await.unwrap();
}

/// The texts that the reader gets, in order.
fn read(bench: &mut Bench) -> Vec<String> {
    let next = || match bench.reader.try_next()? {
        Seen::Harness(HarnessEvent::Thought { text }) => Some(text),
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(next).collect()
}

#[tokio::test(start_paused = true)]
async fn a_guest_waits_for_its_reader() {
    let mut bench = Bench::new();
    for n in 0..EVENT_QUEUE {
        emit(&mut bench, n.to_string()).await;
    }
    let blocked = timeout(Duration::from_secs(3_600), emit(&mut bench, "lost in time")).await;
    assert!(blocked.is_err());
    assert_eq!(bench.reader.next().await.map(|_| ()), Some(()));
    emit(&mut bench, "last").await;
    let texts = read(&mut bench);
    assert_eq!(texts.len(), EVENT_QUEUE);
    assert_eq!((texts[0].as_str(), texts[EVENT_QUEUE - 1].as_str()), ("1", "last"));
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_unblocks_it_and_nothing_is_lost() {
    let mut bench = Bench::new();
    for n in 0..EVENT_QUEUE {
        emit(&mut bench, n.to_string()).await;
    }
    let handle = bench.handle.clone();
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        handle.cancel();
    };
    tokio::join!(emit(&mut bench, "while it blocked"), cancel);
    emit(&mut bench, "before it knew").await;
    let texts = read(&mut bench);
    assert_eq!(texts.len(), EVENT_QUEUE + 2);
    assert_eq!(texts[EVENT_QUEUE..], ["while it blocked", "before it knew"]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_gone_blocks_nobody() {
    let mut bench = Bench::new();
    bench.reader = harness::events().1;
    for _ in 0..2 * EVENT_QUEUE {
        emit(&mut bench, "x").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_cut_and_marked() {
    let mut bench = Bench::new();
    let huge = "x".repeat(EVENT_MAX_BYTES + 1);
    for event in [
        Event::Message(WitPart::Text(huge.clone())),
        Event::Thought(huge.clone()),
        Event::Notice(huge.clone()),
    ] {
        bench.view().emit(event).await.unwrap();
        let text = match bench.reader.try_next() {
            Some(Seen::Harness(
                HarnessEvent::Message { part: Part::Text(text) }
                | HarnessEvent::Thought { text }
                | HarnessEvent::Notice { text },
            )) => text,
            other => panic!("{other:?}"),
        };
        assert!(text.len() <= EVENT_MAX_BYTES && text.len() > EVENT_MAX_BYTES / 2);
        assert!(text.ends_with("x… [cut]"));
    }
}
