//! The examples in JavaScript and Python do what echo does, with one tool besides.

use e2e::{Answer, Place, Play, Server};
use serde_json::json;

const EXAMPLES: [&str; 2] = ["echo-js", "echo-python"];

#[test]
fn the_answer_is_handed_through_piece_by_piece() {
    for harness in EXAMPLES {
        let place = Place::new();
        let model = place.script(&[json!({"thinking": "Hm.", "text": "one two three ä€🦀"})]);
        let done =
            place.run(harness).args(["--model", &model, "--format", "json", "Count."]).done();
        let done = done.succeeded();
        assert_eq!(done.answer(), "one two three ä€🦀", "{harness}");
        assert_eq!(done.events_of("message").len(), 4, "{harness}");
        assert_eq!(done.event("thought")["text"], "Hm.", "{harness}");
        assert_eq!(done.event("turn_finished")["stop"], "end_turn", "{harness}");
        assert_eq!(done.stderr, "", "{harness}");
    }
}

#[test]
fn a_tool_call_reaches_the_verb_and_its_result_the_model() {
    for harness in EXAMPLES {
        let place = Place::new();
        let server = Server::start([
            Play::Stream(
                Answer::text("I note it.")
                    .call("call_a", "remember", &json!({"text": "crabs are red"}))
                    .call("call_b", "remember", &json!({"wrong": 1}))
                    .call("call_c", "forget", &json!({})),
            ),
            Play::Stream(Answer::text("Noted.")),
        ]);
        let run = place.run_with(harness, &server, "{price: free}");
        let done = run.args(["--format", "json", "Note it."]).done().succeeded();
        let statuses: Vec<_> =
            done.events_of("call_update").iter().map(|event| event["status"].clone()).collect();
        assert_eq!(statuses, ["completed", "failed", "failed"], "{harness}");
        let notes =
            place.command(["memory", "list", "--agent", harness, "--format", "json"]).done();
        assert_eq!(notes.succeeded().events()[0]["text"], "crabs are red", "{harness}");

        server.next_request();
        let messages = server.next_request().messages();
        let roles: Vec<_> = messages.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(roles, ["user", "assistant", "tool", "tool", "tool"], "{harness}");
        assert!(messages[2].1.starts_with("stored as note "), "{harness}: {messages:?}");
        assert!(messages[3].1.contains("the argument text is missing"), "{harness}: {messages:?}");
        assert!(messages[4].1.contains("there is no tool forget"), "{harness}: {messages:?}");
    }
}

#[test]
fn a_session_goes_on_and_a_failed_call_is_the_model_s() {
    for harness in EXAMPLES {
        let place = Place::new();
        let server = Server::start([
            Play::Stream(Answer::text("A crab.")),
            Play::Plain {
                status: "400 Bad Request",
                headers: "",
                body: r#"{"error": {"message": "not like this"}}"#,
            },
        ]);
        let run = || place.run_with(harness, &server, "{price: free}").args(["--session", "s1"]);
        run().args(["Which animal?"]).done().succeeded();
        let failed = run().args(["Sure?"]).done();
        assert!(!failed.status.success(), "{harness}");
        assert!(failed.stderr.contains("not like this"), "{harness}: {}", failed.stderr);
        server.next_request();
        let messages = server.next_request().messages();
        let expected = [("user", "Which animal?"), ("assistant", "A crab."), ("user", "Sure?")];
        let expected = expected.map(|(role, text)| (role.to_owned(), text.to_owned()));
        assert_eq!(messages, expected, "{harness}");
    }
}

#[test]
fn a_cancel_ends_the_turn_and_keeps_what_was_said() {
    for harness in EXAMPLES {
        let place = Place::new();
        let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
        let run =
            place.run_with(harness, &server, "{price: free}").args(["--format", "json", "Go."]);
        let running = run.start();
        running.event("message");
        running.interrupt();
        server.connection_closed();
        let done = running.done().exited(130);
        assert_eq!(done.event("turn_finished")["stop"], "cancelled", "{harness}");
    }
}
