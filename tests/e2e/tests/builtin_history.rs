//! The built-in harness and its conversation: what the model is sent, over steps, processes, kills
//! and windows that are too small.

use e2e::{Answer, Place, Play, Request, Run, Server};
use serde_json::{Value, json};

const FACTS: &str = "{price: free}";
const TOO_LONG: Play = Play::Plain {
    status: "400 Bad Request",
    headers: "",
    body: r#"{"error": {"message": "This model's maximum context length is 16000 tokens.", "code": "context_length_exceeded"}}"#,
};

fn run(place: &Place, server: &Server) -> Run {
    place.run_with("builtin", server, FACTS).args(["--format", "json", "--session", "s1"])
}

fn read(path: &str) -> Answer {
    Answer::default().call(&format!("call_{path}"), "read", &json!({"path": path}))
}

/// Role and text of what was said, without the system's part.
fn spoken(request: &Request) -> Vec<(String, String)> {
    request.messages().into_iter().filter(|(role, _)| role != "system").collect()
}

fn roles(request: &Request) -> Vec<String> {
    spoken(request).into_iter().map(|(role, _)| role).collect()
}

fn system(request: &Request) -> String {
    let messages = request.messages();
    messages.into_iter().filter(|(role, _)| role == "system").map(|(_, text)| text).collect()
}

#[test]
fn a_session_goes_on_in_a_second_process_tool_calls_included() {
    let place = Place::new();
    std::fs::write(place.workspace().join("a"), "alpha").expect("a file");
    let server = Server::start([
        Play::Stream(read("a")),
        Play::Stream(Answer::text("It says alpha.")),
        Play::Stream(Answer::text("As I said.")),
    ]);
    for prompt in ["What does a say?", "Are you sure?"] {
        run(&place, &server).args([prompt]).done().succeeded();
    }
    let requests = [server.next_request(), server.next_request(), server.next_request()];
    assert_eq!(roles(&requests[2]), ["user", "assistant", "tool", "assistant", "user"]);
    let messages = requests[2].body["messages"].as_array().expect("messages");
    let call = messages.iter().find_map(|message| message["tool_calls"].as_array());
    let call = &call.expect("the call is in the history")[0];
    assert_eq!(call["function"]["arguments"], r#"{"path":"a"}"#);
    let result = messages.iter().find(|message| message["role"] == "tool").expect("a result");
    assert_eq!(result["tool_call_id"], call["id"]);
    assert_eq!(spoken(&requests[2])[2].1, "alpha");
}

#[test]
fn the_model_is_told_where_it_is_and_what_the_workspace_says() {
    let place = Place::new();
    std::fs::write(place.workspace().join("AGENTS.md"), "Use tabs.").expect("a file");
    let server = Server::start([Play::Stream(Answer::text("Yes."))]);
    run(&place, &server).args(["Hello."]).done().succeeded();
    let request = server.next_request();
    let system = system(&request);
    for part in ["/workspace", "at most 20 tool turns", "AGENTS.md says:\n\nUse tabs."] {
        assert!(system.contains(part), "no {part:?} in {system}");
    }
    let tools = request.body["tools"].as_array().expect("tools");
    let names: Vec<_> = tools.iter().filter_map(|tool| tool["function"]["name"].as_str()).collect();
    for name in ["read", "write", "edit", "list", "grep", "find", "bash", "plan", "ask_user"] {
        assert!(names.contains(&name), "no {name} in {names:?}");
    }
    let bytes = request.body.to_string().len();
    assert!(bytes < 12_000, "prompt and tools have {bytes} bytes");
}

#[test]
fn an_image_of_the_workspace_reaches_the_model() {
    let place = Place::new();
    let png = b"\x89PNG\r\n\x1a\n not more than its beginning";
    std::fs::write(place.workspace().join("a.png"), png).expect("a file");
    for (facts, seen) in
        [("{price: free, images: true}", true), ("{price: free, images: false}", false)]
    {
        let server =
            Server::start([Play::Stream(read("a.png")), Play::Stream(Answer::text("I see."))]);
        let run = place.run_with("builtin", &server, facts).args(["--format", "json", "Look."]);
        run.done().succeeded();
        server.next_request();
        let body = server.next_request().body.to_string();
        assert_eq!(body.contains("data:image/png;base64,iVBORw0KGgo"), seen, "{facts}: {body}");
        assert_eq!(body.contains("sees no images"), !seen, "{facts}");
    }
}

#[test]
fn a_kill_costs_at_most_the_step_under_way() {
    let place = Place::new();
    std::fs::write(place.workspace().join("a"), "alpha").expect("a file");
    let server = Server::start([
        Play::Stream(read("a")),
        Play::Hold(Answer::text("It ")),
        Play::Stream(Answer::text("It says alpha.")),
    ]);
    let running = run(&place, &server).args(["What does a say?"]).start();
    running.event("message");
    running.kill();
    server.connection_closed();
    drop(running);
    run(&place, &server).args(["Well?"]).done().succeeded();
    server.next_request();
    server.next_request();
    let last = server.next_request();
    assert_eq!(roles(&last), ["user", "assistant", "tool", "user"]);
    assert_eq!(spoken(&last)[2].1, "alpha");
}

#[test]
fn what_was_said_before_a_cancel_stays() {
    let place = Place::new();
    let server = Server::start([
        // One piece: the interrupt comes after the first.
        Play::Hold(Answer::text("Crab. ").call("call_1", "list", &json!({}))),
        Play::Stream(Answer::text("Yes.")),
    ]);
    let running = run(&place, &server).args(["Which animal?"]).start();
    running.event("message");
    running.interrupt();
    let done = running.done().exited(130);
    assert_eq!(done.event("turn_finished")["stop"], "cancelled");
    run(&place, &server).args(["Sure?"]).done().succeeded();
    server.next_request();
    let expected = [("user", "Which animal?"), ("assistant", "Crab. "), ("user", "Sure?")];
    let expected = expected.map(|(role, text)| (role.to_owned(), text.to_owned()));
    assert_eq!(spoken(&server.next_request()), expected);
}

#[test]
fn of_a_history_that_is_too_long_old_outputs_go_first() {
    let place = Place::new();
    std::fs::write(place.workspace().join("big"), "big line\n".repeat(1_500)).expect("a file");
    std::fs::write(place.workspace().join("small"), "small").expect("a file");
    let server = Server::start([
        Play::Stream(read("big")),
        Play::Stream(read("small")),
        TOO_LONG,
        Play::Stream(Answer::text("Both read.")),
    ]);
    let done = run(&place, &server).args(["Read both."]).done().succeeded();
    assert_eq!(done.answer(), "Both read.");
    let notice = done.event("notice")["text"].to_string();
    assert!(
        notice.contains("history compacted") && notice.contains("1 old tool output"),
        "{notice}"
    );
    let requests: Vec<_> = (0..4).map(|_| server.next_request()).collect();
    assert!(requests[2].body.to_string().contains("big line"));
    let last = &requests[3];
    assert_eq!(roles(last), ["user", "assistant", "tool", "assistant", "tool"]);
    assert!(!last.body.to_string().contains("big line"));
    assert!(spoken(last)[2].1.contains("output dropped"), "{:?}", spoken(last)[2]);
    assert_eq!(spoken(last)[4].1, "small");
}

#[test]
fn then_its_older_part_is_summarised_and_stays_so() {
    let place = Place::new();
    let server = Server::start([
        Play::Stream(Answer::text(&"It is a crab. ".repeat(300))),
        TOO_LONG,
        Play::Stream(Answer::text("They spoke of a crab.")),
        Play::Stream(Answer::text("It is red.")),
        Play::Stream(Answer::text("Yes.")),
    ]);
    let long = "which animal it is ".repeat(500);
    run(&place, &server).args([long.as_str()]).done().succeeded();
    let done = run(&place, &server).args(["Which colour?"]).done().succeeded();
    assert_eq!(done.answer(), "It is red.", "the summary is not shown");
    let notices = done.events_of("notice");
    assert!(notices.iter().any(|n| n["text"].to_string().contains("2 messages summarised")));
    run(&place, &server).args(["Really?"]).done().succeeded();

    let requests: Vec<_> = (0..5).map(|_| server.next_request()).collect();
    let summary = &requests[2];
    assert!(summary.body["tools"].is_null() || summary.body["tools"] == json!([]));
    assert!(spoken(summary)[0].1.contains("Assistant: It is a crab. It is"));
    let retried = spoken(&requests[3]);
    assert_eq!(retried.len(), 1, "{retried:?}");
    for part in ["Summary of the conversation so far", "They spoke of a crab.", "Which colour?"] {
        assert!(retried[0].1.contains(part), "no {part:?} in {retried:?}");
    }
    assert_eq!(roles(&requests[4]), ["user", "assistant", "user"]);
    assert!(spoken(&requests[4])[0].1.contains("They spoke of a crab."));
}

#[test]
fn what_cannot_be_shortened_is_an_error_that_says_so() {
    let place = Place::new();
    let server = Server::start([TOO_LONG]);
    let done = run(&place, &server).args(["Hello."]).done();
    let done = done.exited(3);
    let failed: Value = done.event("turn_failed");
    assert!(failed["message"].to_string().contains("does not fit the model's window"), "{failed}");
}
