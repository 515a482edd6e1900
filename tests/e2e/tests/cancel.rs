//! Ctrl-C: once ends the turn, twice ends the program.

use e2e::{Answer, Place, Play, Server};
use serde_json::json;

const PRICED: &str = r#"{price: {input: "$2", output: "$8"}}"#;
/// Ten minutes, the most that a script may wait: a turn that ends was cancelled.
const FOREVER_MS: u64 = 600_000;

#[test]
fn a_slow_turn_is_cancelled() {
    for harness in ["builtin", "echo", "pi"] {
        let place = Place::new();
        let model = place.script(&[
            json!({"price": {"input": "$2", "output": "$8"}}),
            json!({"text": "Too late.", "delay_ms": FOREVER_MS}),
        ]);
        let run = place.run(harness).args(["--model", &model, "--format", "json", "Hello."]);
        let running = run.start();
        running.event("step_started");
        running.interrupt();
        let done = running.done().exited(130);
        assert_eq!(done.event("turn_finished")["stop"], "cancelled", "{harness}");
        assert_eq!(done.answer(), "", "{harness}");
        assert!(done.stderr.contains("cancelling; press Ctrl-C again"), "{}", done.stderr);
        assert_eq!(place.spends_settled().len(), 1, "{harness}");
    }
}

#[test]
fn a_cancelled_stream_is_closed_and_what_it_used_is_booked() {
    for harness in ["builtin", "echo", "pi"] {
        let place = Place::new();
        let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
        let run = place.run_with(harness, &server, PRICED).args(["--format", "json", "Hello."]);
        let running = run.start();
        let arrived = |text: &str| text.contains(r#""of ""#).then_some(());
        running.stdout.wait(arrived).expect("all that was sent");
        running.interrupt();
        server.connection_closed();
        let done = running.done().exited(130);
        assert_eq!(done.event("turn_finished")["stop"], "cancelled", "{harness}");
        assert_eq!(done.answer(), "The beginning of ", "{harness}");
        server.next_request();
        assert_eq!(server.unseen(), 0, "{harness} asks no more");
        let cost = done.event("turn_finished")["cost"].as_u64().expect("a cost");
        assert!(cost > 0, "{harness}");
        let spends = place.spends_settled();
        assert_eq!(spends.len(), 1, "{harness}");
        assert_eq!((spends[0].ending.as_str(), spends[0].cost), ("settled", cost), "{harness}");
    }
}

#[test]
fn a_cancelled_wait_for_another_try_is_cut_short() {
    let place = Place::new();
    let server = Server::start([Play::Plain {
        status: "429 Too Many Requests",
        headers: "retry-after: 19\r\n",
        body: "",
    }]);
    let run = place.run_with("echo", &server, PRICED).args(["--format", "json", "Hello."]);
    let running = run.start();
    running.event("retry");
    running.interrupt();
    let done = running.done().exited(130);
    assert!(done.elapsed.as_secs() < 15, "{:?}", done.elapsed);
    assert_eq!(place.spent(), 0, "nothing was answered");
}

/// While the program is busy printing, too.
#[test]
fn one_ctrl_c_is_enough() {
    for format in ["text", "json"] {
        let place = Place::new();
        let server = Server::start([Play::Flood(Answer::text("more and more and more "))]);
        let run = place.run_with("echo", &server, PRICED).args(["--format", format, "Go on."]);
        let running = run.start();
        let much = |text: &str| (text.len() > 10_000).then_some(());
        running.stdout.wait(much).expect("a long answer");
        running.interrupt();
        server.connection_closed();
        running.done().exited(130);
        assert_eq!(place.spends_settled().len(), 1);
    }
}

#[test]
fn twice_quits_at_once() {
    let place = Place::new();
    let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
    let running = place.run_with("pi", &server, PRICED).args(["Hello."]).start();
    running.stdout.wait(|text| text.contains("beginning").then_some(())).expect("an answer");
    running.interrupt();
    // The second may come at any moment after the first, also while the first is acted on.
    running.stderr.wait(|text| text.contains("cancelling").then_some(())).expect("a notice");
    running.interrupt();
    let done = running.done().exited(130);
    assert!(done.stderr.contains("cancelling"), "{}", done.stderr);
    server.connection_closed();
}

#[test]
fn a_conversation_goes_on_after_a_cancelled_turn() {
    let place = Place::new();
    let server = Server::start([
        Play::Hold(Answer::text("A crab ")),
        Play::Stream(Answer::text("Yes, a crab.")),
    ]);
    let run = || place.run_with("pi", &server, PRICED).args(["--session", "s1"]);
    let running = run().args(["--format", "json", "Which animal?"]).start();
    running.event("message");
    running.interrupt();
    running.done().exited(130);
    run().args(["Are you sure?"]).done().succeeded();
    server.next_request();
    let messages = server.next_request().messages();
    let roles: Vec<_> = messages.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles.first(), Some(&"system"));
    assert!(messages.iter().any(|(_, text)| text.contains("Which animal?")), "{messages:?}");
    assert!(messages.last().is_some_and(|(_, text)| text.contains("Are you sure?")));
}
