//! Guests that take all the memory they can get.

use domain::event::Stop;
use session::TurnError;

use crate::bench::{Host, chain};
use crate::model::Model;

#[tokio::test]
async fn memory_ends_at_the_limit() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, "memory").await.unwrap(), Stop::EndTurn);
    let answer = hostile.answer();
    let mebibytes =
        answer.strip_prefix("refused after ").and_then(|rest| rest.strip_suffix(" MiB"));
    let mebibytes: usize = mebibytes.and_then(|text| text.parse().ok()).expect(&answer);
    assert!((400..512).contains(&mebibytes), "{answer}");
    // A refusal is no crash: the instance goes on.
    assert_eq!(hostile.answered("say again").await, "again");
}

#[tokio::test]
async fn a_guest_that_breaks_of_it_is_told_apart() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, "memory-until-it-breaks").await.unwrap_err();
    assert!(matches!(&error, TurnError::OutOfMemory(_)), "{error:?}");
    assert!(chain(&error).starts_with("the harness crashed after it was refused more memory"));
    assert_eq!(hostile.answered("say again").await, "again");
}

#[tokio::test]
async fn deep_recursion_is_a_crash() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, "recurse").await.unwrap_err();
    assert!(matches!(&error, TurnError::Trap(_)), "{error:?}");
    assert_eq!(hostile.answered("recurse 100").await, "came back from 100");
}

/// The pool has four places: each instance that breaks gives its own back.
#[tokio::test]
async fn instance_after_instance_takes_nothing_away() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    for _ in 0..20 {
        let report = hostile.turn("trap").await;
        assert!(matches!(report.result, Err(TurnError::Trap(_))), "{:?}", report.result);
    }
    host.neighbour().await;
}
