//! A provider that speaks chat completions: streams, tool calls, usage, the key.

use e2e::{Answer, KEY, Place, Play, Server};
use serde_json::json;

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;

#[test]
fn text_and_usage_are_streamed_and_billed() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Hello from afar.").usage(100, 60, 7))]);
    let run = place.run_with("echo", &server, PRICED);
    let done = run.args(["--format", "json", "Hello."]).done().succeeded();

    assert_eq!(done.answer(), "Hello from afar.");
    assert_eq!(done.events_of("message").len(), 3);
    let step = done.event("step_finished");
    assert_eq!(
        step["usage"],
        json!({"input": 100, "cached": 60, "cache_written": 0, "output": 7, "reasoning": 0})
    );
    let cost = 40 * 2_000 + 60 * 500 + 7 * 8_000;
    assert_eq!(step["cost"], cost);
    assert_eq!(step["model"], "mock/m");
    assert_eq!(place.spent(), cost);

    let request = server.next_request();
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{}", request.head);
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(request.body["model"], "m");
    assert_eq!(request.body["stream"], true);
    assert_eq!(request.body["stream_options"]["include_usage"], true);
    assert!(request.body["max_tokens"].is_u64(), "an answer without a limit has no worst case");
}

#[test]
fn streamed_tool_calls_reach_pi_and_their_results_the_provider() {
    let place = Place::new();
    let long = "line of text\n".repeat(500);
    let server = Server::start([
        Play::Stream(
            Answer::text("Two files. ")
                .call("call_x", "write", &json!({"path": "a.txt", "content": "grün 🦀 \"quoted\""}))
                .call("call_y", "write", &json!({"path": "b.txt", "content": &long}))
                .usage(3_000, 0, 900),
        ),
        Play::Stream(Answer::text("Both are there.").usage(4_000, 3_000, 5)),
    ]);
    let run = place.run_with("pi", &server, PRICED);
    let done = run.args(["--format", "json", "Write two files."]).done().succeeded();

    assert_eq!(place.read("a.txt"), "grün 🦀 \"quoted\"");
    assert_eq!(place.read("b.txt"), long);
    assert_eq!(done.answer(), "Two files. Both are there.");
    let cost = 3_000 * 2_000 + 900 * 8_000 + 1_000 * 2_000 + 3_000 * 500 + 5 * 8_000;
    assert_eq!(done.event("turn_finished")["cost"], cost);
    assert_eq!(place.spent(), cost);

    let first = server.next_request();
    let tools = first.body["tools"].as_array().expect("pi offers tools");
    let name = |tool: &serde_json::Value| tool["function"]["name"].as_str().map(str::to_owned);
    let names: Vec<_> = tools.iter().filter_map(name).collect();
    for tool in ["read", "write", "edit", "bash", "grep", "find", "ls", "memory_add", "ask_user"] {
        assert!(names.iter().any(|name| name == tool), "no {tool} in {names:?}");
    }
    let second = server.next_request();
    let answered: Vec<_> = second.body["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|message| message["tool_call_id"].as_str())
        .collect();
    assert_eq!(answered, ["call_x", "call_y"]);
}

#[test]
fn a_silent_provider_is_counted_for() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("No word about tokens."))]);
    let run = place.run_with("echo", &server, PRICED);
    let done = run.args(["--format", "json", "Hello."]).done().succeeded();
    let usage = &done.event("step_finished")["usage"];
    assert!(usage["input"].as_u64() > Some(0) && usage["output"].as_u64() > Some(0), "{usage}");
    assert!(place.spent() > 0);
}

#[test]
fn the_key_is_seen_by_the_provider_alone() {
    let place = Place::new();
    // The provider itself gives it away, as some do.
    let body: &'static str =
        r#"{"error": {"message": "Incorrect API key provided: sk-e2e-5up3r53cr3t-9f8e7d6c5b4a."}}"#;
    assert!(body.contains(KEY));
    let server = Server::start([
        Play::Stream(Answer::default().call("c", "ls", &json!({}))),
        Play::Stream(Answer::text("Fine.")),
        Play::Plain { status: "401 Unauthorized", headers: "", body },
    ]);
    for (expected, format) in [(0, "text"), (3, "json")] {
        let run = place.run_with("pi", &server, "{price: free}");
        let run = run.env("XPRESSCLAW_LOG", "trace").args(["--format", format, "Look around."]);
        let done = run.done().exited(expected);
        assert!(done.stderr.len() > 1_000, "the log is on");
        assert!(!done.stdout.contains(KEY), "{}", done.stdout);
        assert!(!done.stderr.contains(KEY), "the key is in the log");
    }
    for _ in 0..3 {
        let request = server.next_request();
        assert!(request.header("authorization").is_some_and(|value| value.ends_with(KEY)));
        assert!(!request.body.to_string().contains(KEY));
    }
    assert_eq!(place.files_holding(KEY), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_paid_model_without_a_price_is_refused_with_the_line_that_fixes_it() {
    for harness in ["echo", "pi"] {
        let place = Place::new();
        let server = Server::start([]);
        let done = place.run_with(harness, &server, "{}").args(["Hello."]).done().exited(2);
        let line = r#"providers: {mock: {models: {m: {price: {input: "$…", output: "$…"}}}}}"#;
        assert!(done.stderr.contains(line), "{}", done.stderr);
        assert_eq!(done.stdout, "");
        assert_eq!(server.unseen(), 0);
        assert_eq!(place.spends(), []);
    }
}
