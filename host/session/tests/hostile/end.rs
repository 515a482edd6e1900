//! Guests that end badly.

use domain::Event;
use domain::event::Stop;
use session::TurnError;

use crate::bench::{Host, chain};
use crate::model::Model;

#[tokio::test]
async fn a_crash_is_said_and_the_session_goes_on() {
    let host = Host::new(Model::default());
    for (act, says) in [("trap", "unreachable"), ("exit 1", "status 1"), ("exit 0", "status 0")] {
        let mut hostile = host.hostile();
        let error = host.play(&mut hostile, act).await.unwrap_err();
        assert!(matches!(&error, TurnError::Trap(_)), "{act}: {error:?}");
        assert!(chain(&error).contains(says), "{act}: {}", chain(&error));
        assert!(matches!(hostile.events().last(), Some(Event::TurnFailed { .. })), "{act}");
        assert_eq!(hostile.answered("say again").await, "again", "{act}");
    }
}

#[tokio::test]
async fn a_crash_in_start_is_said_and_tried_again_at_the_next_turn() {
    let host = Host::new(Model::default());
    for act in ["trap", "exit 1"] {
        let mut hostile = host.hostile_in_start(act);
        for _ in 0..2 {
            let error = host.play(&mut hostile, "say hello").await.unwrap_err();
            assert!(matches!(&error, TurnError::Trap(_)), "{act}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_in_start_is_the_turn_s() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile_in_start("fail badly");
    let error = host.play(&mut hostile, "say hello").await.unwrap_err();
    assert!(matches!(&error, TurnError::Harness(text) if text == "badly"), "{error:?}");
}

#[tokio::test]
async fn what_is_left_open_does_not_outlive_the_turn() {
    let host = Host::new(Model::endless());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, "model-leave").await.unwrap(), Stop::EndTurn);
    assert_eq!((host.model.calls(), host.model.open()), (1, 0));
    let steps = hostile.events().iter().filter(|e| matches!(e, Event::StepFinished { .. })).count();
    assert_eq!(steps, 1, "it is settled");
    assert_eq!(hostile.answered("say again").await, "again", "the instance is sound");
}
