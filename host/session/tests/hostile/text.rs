//! Text that acts on a terminal: the host passes it on as data, exactly. What reaches a screen is
//! shown by `tests/e2e/tests/hostile.rs`.

use domain::Event;
use domain::event::Stop;

use crate::bench::Host;
use crate::model::Model;

#[tokio::test]
async fn events_are_data() {
    let host = Host::new(Model::default());
    let mut hostile = host.hostile();
    assert_eq!(host.play(&mut hostile, "paint").await.unwrap(), Stop::EndTurn);
    let lines: Vec<String> =
        hostile.events().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    for name in ["title", "notice", "thought", "message", "uri", "call-title", "plan", "hint"] {
        let found = lines.iter().find(|line| line.contains(name));
        assert!(found.is_some_and(|line| line.contains(r"\u001b]0;owned\u0007")), "{name}");
    }
    assert!(lines.iter().all(|line| !line.contains(|c: char| c.is_ascii_control())));
    // The host's own, which hold what the guest wrote.
    assert!(hostile.events().iter().any(|event| matches!(event, Event::Verb { .. })));
    assert!(hostile.events().iter().any(|event| matches!(event, Event::Ask { .. })));
}
