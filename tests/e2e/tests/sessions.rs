//! One conversation over several commands.

use e2e::{Answer, Place, Play, Server};
use serde_json::json;

/// Two commands of one session, and what the second request held.
fn second_request(harness: &str) -> Vec<(String, String)> {
    let place = Place::new();
    let server = Server::start([
        Play::Stream(Answer::text("A crab called Ferris.").usage(10, 0, 5)),
        Play::Stream(Answer::text("Ferris, as I said.").usage(20, 0, 5)),
    ]);
    for prompt in ["Which animal?", "What is it called?"] {
        let run = place.run_with(harness, &server, "{price: free}");
        run.args(["--session", "s1", prompt]).done().succeeded();
    }
    server.next_request();
    let second = server.next_request();
    assert_eq!(server.unseen(), 0);
    second.messages().into_iter().filter(|(role, _)| role != "system").collect()
}

#[test]
fn echo_continues_a_session() {
    let messages = second_request("echo");
    let expected = [
        ("user", "Which animal?"),
        ("assistant", "A crab called Ferris."),
        ("user", "What is it called?"),
    ];
    assert_eq!(messages, expected.map(|(role, text)| (role.to_owned(), text.to_owned())));
}

#[test]
fn pi_continues_a_session() {
    let messages = second_request("pi");
    let roles: Vec<_> = messages.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    for ((_, text), expected) in
        messages.iter().zip(["Which animal?", "A crab called Ferris.", "What is it called?"])
    {
        assert!(text.contains(expected), "no {expected:?} in {text:?}");
    }
}

#[test]
fn pi_remembers_its_tool_calls() {
    let place = Place::new();
    let server = Server::start([
        Play::Stream(Answer::default().call(
            "call_a",
            "write",
            &json!({
                "path": "a.txt", "content": "alpha",
            }),
        )),
        Play::Stream(Answer::text("Written.")),
        Play::Stream(Answer::text("It was a.txt.")),
    ]);
    for prompt in ["Write a file.", "Which file?"] {
        let run = place.run_with("pi", &server, "{price: free}");
        run.args(["--session", "s1", prompt]).done().succeeded();
    }
    let third = [server.next_request(), server.next_request(), server.next_request()];
    let messages = third[2].body["messages"].as_array().expect("messages");
    let call = messages.iter().find(|message| message["tool_calls"].is_array());
    let call = &call.expect("the call is in the history")["tool_calls"][0];
    assert_eq!(call["function"]["name"], "write");
    let result = messages.iter().find(|message| message["role"] == "tool");
    let result = result.expect("the result is in the history");
    assert_eq!(result["tool_call_id"], call["id"]);
    assert!(result["content"].to_string().contains("Successfully wrote"));
}

#[test]
fn sessions_know_nothing_of_each_other() {
    let place = Place::new();
    let server =
        Server::start([Play::Stream(Answer::text("One.")), Play::Stream(Answer::text("Two."))]);
    for (session, prompt) in [("s1", "first secret"), ("s2", "second")] {
        let run = place.run_with("echo", &server, "{price: free}");
        run.args(["--session", session, prompt]).done().succeeded();
    }
    server.next_request();
    assert_eq!(server.next_request().messages(), [("user".to_owned(), "second".to_owned())]);
}

#[test]
fn a_session_belongs_to_its_agent() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello."})]);
    let run = |harness: &str| {
        place.run(harness).args(["--model", &model, "--session", "s1", "Hi."]).done()
    };
    run("echo").succeeded();
    let refused = run("pi").exited(2);
    assert!(refused.stderr.contains("s1") && refused.stderr.contains("echo"), "{}", refused.stderr);
}
