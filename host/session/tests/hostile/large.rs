//! Values over every limit, to every import that takes one.

use domain::event::Stop;
use domain::limits::{EVENT_MAX_BYTES, PART_MAX_BYTES};
use domain::{Event, Part};
use session::TurnError;

use crate::bench::{Host, chain};
use crate::model::Model;

/// Over what one part, event or text may have, and below what wasmtime lets cross at once.
const LARGE: usize = 17 << 20;
/// Over what wasmtime lets cross in one call: 128 MiB.
const GIGANTIC: usize = 160 << 20;

/// Bytes of an event as JSON.
fn size(event: &Event) -> usize {
    format!("{event:?}").len()
}

#[tokio::test]
async fn events_are_cut() {
    let host = Host::new(Model::default());
    for kind in ["message", "image", "thought", "title", "notice", "call", "other", "commands"] {
        let mut hostile = host.hostile();
        let stop = host.play(&mut hostile, &format!("large {kind} {LARGE}")).await;
        assert_eq!(stop.unwrap(), Stop::EndTurn, "{kind}");
        let largest = hostile.events().iter().map(size).max().unwrap();
        assert!(largest <= EVENT_MAX_BYTES + 1_000, "{kind}: {largest}");
        assert!(hostile.answer().contains("emitted"), "{kind}");
    }
}

#[tokio::test]
async fn a_plan_of_a_million_steps_is_cut() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, "large plan 1000000").await.unwrap(), Stop::EndTurn);
    let cut = |event: &Event| format!("{event:?}").contains("[cut]");
    assert!(hostile.events().iter().any(cut));
}

#[tokio::test]
async fn verbs_refuse_and_say_the_limit() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    for (place, size, says) in [
        ("note", LARGE, "65536"),
        ("tags", 1_000_000, "16"),
        ("search", LARGE, "1024"),
        ("delete", LARGE, ""),
        ("task", LARGE, "256"),
        ("detail", LARGE, "65536"),
        ("parent", LARGE, ""),
        ("question", LARGE, "65536"),
        ("choices", 1_000_000, ""),
        ("permit", LARGE, "too large"),
        ("prompt", LARGE, &PART_MAX_BYTES.to_string()),
        ("messages", 100_001, "100000"),
        ("model", LARGE, ""),
        ("tool", LARGE, ""),
        ("schema", LARGE, "output-schema"),
        ("extra", LARGE, ""),
        ("script", LARGE, ""),
    ] {
        let answer = hostile.answered(&format!("large {place} {size}")).await;
        assert!(answer.starts_with("refused: "), "{place}: {}", &answer[..answer.len().min(200)]);
        assert!(answer.len() < 4_096, "{place} is sent back: {} bytes", answer.len());
        assert!(answer.contains(says), "{place}: no {says} in {answer}");
        let largest = hostile.events().iter().map(self::size).max().unwrap();
        assert!(largest < 100_000, "{place}: an event of {largest} bytes");
    }
    host.neighbour().await;
}

#[tokio::test]
async fn lines_are_cut() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    for place in ["log", "print"] {
        assert_eq!(hostile.answered(&format!("large {place} {LARGE}")).await, "written");
    }
    let tail = store::log::Tail { agent: None, session: None, level: None, after: None };
    let lines = host.store().log().tail(&tail, store::log::TAIL_MAX).unwrap();
    assert!(!lines.is_empty());
    let longest = lines.iter().map(|line| line.message.len()).max().unwrap();
    assert!(longest <= domain::limits::LOG_LINE_MAX_BYTES + 100, "{longest}");
}

#[tokio::test]
async fn a_wait_for_many_handles_looks_at_the_first_and_for_a_million_is_a_crash() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(hostile.answered("large wait 5000").await, "ok: 0");
    let error = host.play(&mut hostile, "large wait 1000000").await.unwrap_err();
    assert!(matches!(&error, TurnError::Trap(_)), "{error:?}");
}

/// What is too much for one call never reaches the host whole.
#[tokio::test]
async fn what_is_gigantic_is_a_crash() {
    let host = Host::new(Model::default());
    for place in ["message", "notice", "log", "note", "question", "permit", "prompt", "failure"] {
        let mut hostile = host.hostile();
        let error =
            host.play(&mut hostile, &format!("large {place} {GIGANTIC}")).await.unwrap_err();
        assert!(matches!(&error, TurnError::Trap(_)), "{place}: {error:?}");
        assert!(chain(&error).len() < 4_096, "{place}");
        assert_eq!(hostile.answered("say again").await, "again", "{place}");
    }
}

#[tokio::test]
async fn the_text_of_a_failure_is_cut() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, &format!("large failure {LARGE}")).await.unwrap_err();
    let text = chain(&error);
    assert!(text.len() < 20_000 && text.ends_with("… [cut]"), "{}", text.len());
    let largest = hostile.events().iter().map(size).max().unwrap();
    assert!(largest < 20_000, "{largest}");
    assert!(Part::text(text).size() > 10_000, "its beginning is kept");
}
