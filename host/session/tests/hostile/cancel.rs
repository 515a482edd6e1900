//! Guests that are cancelled and do not care. Time is virtual.

use std::time::Duration;

use domain::Event;
use session::TurnError;

use crate::bench::Host;
use crate::model::Model;

const GRACE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn a_guest_that_never_answers_a_cancel_is_dropped_after_five_seconds() {
    for act in ["ignore", "sulk"] {
        let host = Host::new(Model::default());
        let mut hostile = host.hostile();
        let began = tokio::time::Instant::now();
        let error = host.cancel(&mut hostile, act).await.unwrap_err();
        assert!(matches!(error, TurnError::Stuck(GRACE)), "{act}: {error:?}");
        assert!((GRACE..2 * GRACE).contains(&began.elapsed()), "{act}: {:?}", began.elapsed());
        assert!(error.to_string().contains("within 5 s of the cancellation"), "{act}: {error}");
        let failed = |event: &Event| matches!(event, Event::TurnFailed { .. });
        assert!(hostile.events().iter().any(failed), "{act}");
        assert_eq!(hostile.answered("say again").await, "again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_in_start_is_heard_as_well() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile_in_start("sulk");
    let error = host.cancel(&mut hostile, "say hello").await.unwrap_err();
    assert!(matches!(error, TurnError::Stuck(GRACE)), "{error:?}");
}

/// What a dropped guest had open upstream is closed.
#[tokio::test(start_paused = true)]
async fn a_dropped_guest_leaves_no_model_call_behind() {
    let host = Host::new(Model::endless());
    let mut hostile = host.hostile();
    let error = host.cancel(&mut hostile, "model-sulk").await.unwrap_err();
    assert!(matches!(error, TurnError::Stuck(GRACE)), "{error:?}");
    assert_eq!(host.model.calls(), 1);
    assert_eq!(host.model.open(), 0);
}
