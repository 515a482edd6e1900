//! Guests that compute for ever, and guests that only wait.

use std::time::Duration;

use domain::event::Stop;
use session::{CpuLimits, TurnError};

use crate::bench::{Host, SHORT, chain};
use crate::model::{ANSWER, Model};

#[tokio::test]
async fn a_loop_in_a_turn_is_stopped() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile().short();
    let error = host.play(&mut hostile, "spin").await.unwrap_err();
    assert!(matches!(&error, TurnError::Cpu(exhausted) if exhausted.limit == SHORT), "{error:?}");
    assert!(error.to_string().contains("computed for 0.2 s without finishing"), "{error}");
    // The session lives on, with a fresh instance.
    assert_eq!(hostile.answered("say again").await, "again");
}

#[tokio::test]
async fn a_loop_in_start_is_stopped() {
    let host = Host::new(Model::default());
    let mut hostile =
        host.hostile_in_start("spin").limited(CpuLimits { start: SHORT, turn: SHORT });
    let error = host.play(&mut hostile, "say hello").await.unwrap_err();
    assert!(matches!(&error, TurnError::Cpu(_)), "{error:?}");
}

/// On one thread: the neighbour only gets on because the busy one gives way.
#[tokio::test(start_paused = true)]
async fn a_busy_guest_holds_nobody_up_and_is_dropped_after_the_grace() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.cancel(&mut hostile, "spin").await.unwrap_err();
    assert!(
        matches!(error, TurnError::Stuck(grace) if grace == Duration::from_secs(5)),
        "{error:?}"
    );
    assert_eq!(hostile.answered("say again").await, "again");
}

/// The model takes five times as long as the guest may compute.
#[tokio::test]
async fn a_guest_that_waits_for_a_model_is_not_charged() {
    let host = Host::new(Model::slow(5 * SHORT));
    let mut hostile = host.hostile().short();
    assert_eq!(host.play(&mut hostile, "model").await.unwrap(), Stop::EndTurn);
    assert_eq!(hostile.answer(), ANSWER);
}

#[tokio::test]
async fn many_turns_do_not_add_up() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile().short();
    for _ in 0..20 {
        // Each computes a little.
        assert_eq!(hostile.answered("flood version 1000").await, "1000 times");
    }
}

#[tokio::test]
async fn the_failure_of_one_turn_is_told_once_and_whole() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, "fail on purpose").await.unwrap_err();
    assert!(matches!(&error, TurnError::Harness(text) if text == "on purpose"), "{error:?}");
    assert_eq!(chain(&error), "the harness failed: on purpose");
}
