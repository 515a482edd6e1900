//! Floods of host calls, and handles that are never given back.

use domain::Event;
use session::TurnError;
use store::log::{TAIL_MAX, Tail};

use crate::bench::{Host, chain};
use crate::model::Model;

const CALLS: [&str; 18] = [
    "emit", "wait", "timer", "log", "print", "memory", "search", "task", "budget", "version",
    "ask", "permit", "input", "models", "tools", "shell", "complete", "file",
];

#[tokio::test]
async fn every_flood_is_metered() {
    let host = Host::new(Model::default());
    for call in CALLS {
        let mut hostile = host.hostile().short();
        let error = host.play(&mut hostile, &format!("flood {call}")).await.unwrap_err();
        assert!(matches!(&error, TurnError::Cpu(_)), "{call}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_flood_can_be_cancelled() {
    let host = Host::new(Model::default());
    for call in CALLS {
        let mut hostile = host.hostile();
        let error = host.cancel(&mut hostile, &format!("flood {call}")).await.unwrap_err();
        assert!(matches!(&error, TurnError::Stuck(_)), "{call}: {error:?}");
    }
}

#[tokio::test]
async fn leaked_handles_end_at_the_limit() {
    let host = Host::new(Model::default());
    for handle in ["timer", "input", "permit", "fields"] {
        let mut hostile = host.hostile();
        let error = host.play(&mut hostile, &format!("leak {handle}")).await.unwrap_err();
        assert!(matches!(&error, TurnError::Trap(_)), "{handle}: {error:?}");
        let answer = hostile.answered(&format!("leak {handle} 9000")).await;
        assert_eq!(answer, "false", "{handle}");
    }
}

#[tokio::test]
async fn open_files_end_at_the_limit() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, "leak file").await.unwrap_err();
    assert!(matches!(&error, TurnError::Trap(_)), "{}", chain(&error));
}

#[tokio::test]
async fn of_a_million_lines_few_are_kept_and_the_others_counted() {
    let host = Host::new(Model::default());
    for (call, lines) in [("log", 1_000_000), ("print", 20_000)] {
        let mut hostile = host.hostile();
        host.play(&mut hostile, &format!("flood {call} {lines} 10")).await.unwrap();
        drop(hostile);
        let tail = Tail { agent: None, session: None, level: None, after: None };
        let lines = host.store().log().tail(&tail, TAIL_MAX).unwrap();
        assert!(lines.iter().any(|line| line.message.ends_with("too many a minute")), "{call}");
        // A thousand of each, and as many more for each minute that this takes.
        assert!((1_000..10_000).contains(&lines.len()), "{call}: {}", lines.len());
    }
}

#[tokio::test]
async fn a_question_that_a_turn_leaves_open_is_withdrawn_with_it() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(hostile.answered("leak permit 100").await, "false");
    let before = hostile.events().iter().filter(|event| is_question(event)).count();
    // Another turn on the same instance: its guest still holds the questions of the first.
    assert_eq!(hostile.answered("say hello").await, "hello");
    let after = hostile.events();
    let after: Vec<_> = after.iter().filter(|event| is_question(event)).collect();
    assert!(after.is_empty(), "{before} before, then {after:?}");
}

fn is_question(event: &Event) -> bool {
    matches!(event, Event::Ask { .. } | Event::Approval { .. })
}
