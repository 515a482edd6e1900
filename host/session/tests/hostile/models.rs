//! Guests and their model calls.

use domain::Event;
use domain::event::Stop;
use session::TurnError;

use crate::bench::Host;
use crate::model::{ANSWER, Model};

fn steps(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::StepFinished { .. })).count()
}

#[tokio::test]
async fn a_crash_in_the_middle_of_an_answer_closes_it_and_settles() {
    let host = Host::new(Model::endless());
    let mut hostile = host.hostile();
    let error = host.play(&mut hostile, "model-trap").await.unwrap_err();
    assert!(matches!(&error, TurnError::Trap(_)), "{error:?}");
    assert_eq!((host.model.calls(), host.model.open()), (1, 0));
    let events = hostile.events();
    assert_eq!(steps(&events), 1, "{events:?}");
    assert!(matches!(events.last(), Some(Event::TurnFailed { usage, .. }) if usage.output > 0));
}

#[tokio::test]
async fn sixteen_answers_may_be_open_and_the_seventeenth_is_refused() {
    let host = Host::new(Model::endless());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, "model-open 17").await.unwrap(), Stop::EndTurn);
    let answer = hostile.answer();
    assert!(answer.starts_with("16 open, then "), "{answer}");
    assert!(answer.contains("16"), "the error names the limit: {answer}");
    assert!(host.model.calls() <= 16);
    assert_eq!(host.model.open(), 0);
    // They are free again.
    assert!(hostile.answered("model-open 16").await.starts_with("16 open"));
}

/// Each is reserved, sent and settled; nothing of one is left for the next.
#[tokio::test]
async fn thousands_of_calls_are_as_many_settlements() {
    const CALLS: usize = 2_000;
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, &format!("model {CALLS}")).await.unwrap(), Stop::EndTurn);
    assert_eq!((host.model.calls(), host.model.open()), (CALLS, 0));
    assert!(hostile.answered("model").await.contains(ANSWER));
}
