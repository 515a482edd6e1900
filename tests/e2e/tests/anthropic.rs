//! A provider that speaks Anthropic's Messages: thinking and its proofs, tools, the cache, the bill.

use e2e::{KEY, Place, Play, Reply, Server};
use serde_json::{Value, json};

const TYPE: &str = "type: anthropic";
const PRICED: &str = r#"{reasoning: true, price: {input: "$3", cached: "$0.30", output: "$15"}}"#;

/// Nano-dollars of a step, by hand: three dollars are 3,000 for a token; what is written to the
/// cache costs five quarters of that, since the configuration does not say otherwise.
fn cost(plain: u64, written: u64, read: u64, output: u64) -> u64 {
    plain * 3_000 + written * 3_750 + read * 300 + output * 15_000
}

#[test]
fn text_and_cached_usage_are_streamed_and_billed() {
    let place = Place::new();
    let server =
        Server::start([Play::Messages(Reply::to(11, 20, 300).say("Hello there.").output(7))]);
    let run = place.run_with_provider("echo", &server, TYPE, PRICED);
    let done = run.args(["--format", "json", "Hello."]).done().succeeded();

    assert_eq!(done.answer(), "Hello there.");
    let step = done.event("step_finished");
    assert_eq!(
        step["usage"],
        json!({"input": 331, "cached": 300, "cache_written": 20, "output": 7, "reasoning": 0})
    );
    assert_eq!(step["cost"], cost(11, 20, 300, 7));
    assert_eq!(step["model"], "mock/m");
    assert_eq!(place.spent(), cost(11, 20, 300, 7));

    let request = server.next_request();
    assert!(request.head.starts_with("POST /v1/messages HTTP/1.1"), "{}", request.head);
    assert_eq!(request.header("x-api-key"), Some(KEY));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    assert!(request.body["max_tokens"].is_u64(), "an answer without a limit has no worst case");
    assert_eq!(server.unseen(), 0);
}

/// pi thinks, calls two tools in one step, and is given back what it thought, proof and all.
#[test]
fn thinking_and_tools_go_around_through_pi() {
    let place = Place::new();
    let server = Server::start([
        Play::Messages(
            Reply::to(50, 2_950, 0)
                .think("Two files, then.", "EqQBsigned==")
                .redacted("EmwKsecret==")
                .think("", "EqQBomitted==")
                .say("Two files. ")
                .call("toolu_x", "write", &json!({"path": "a.txt", "content": "grün 🦀 \"q\""}))
                .call("toolu_y", "read", &json!({"path": "missing.txt"}))
                .output(900),
        ),
        Play::Messages(Reply::to(40, 160, 2_950).say("One is there.").output(5)),
    ]);
    let settings = r#"agents: [{name: pi, harness: pi, settings: {defaultThinkingLevel: high}}]"#;
    let run = place.run_with_provider("pi", &server, TYPE, PRICED);
    let config = place.path().join("xpressclaw.yaml");
    let yaml = std::fs::read_to_string(&config).expect("the configuration is there");
    std::fs::write(&config, format!("{settings}\n{yaml}\n")).expect("a writable file");
    let run = run.args(["--format", "json", "Write."]);
    let done = run.done().succeeded();

    assert_eq!(place.read("a.txt"), "grün 🦀 \"q\"");
    assert_eq!(done.answer(), "Two files. One is there.");
    let bill = cost(50, 2_950, 0, 900) + cost(40, 160, 2_950, 5);
    assert_eq!(done.event("turn_finished")["cost"], bill);
    assert_eq!(place.spent(), bill);

    let first = server.next_request().body;
    let tools = first["tools"].as_array().expect("pi offers tools");
    assert!(tools.iter().any(|tool| tool["name"] == "read" && tool["input_schema"].is_object()));
    let marks = first.to_string().matches("cache_control").count();
    assert!((2..=4).contains(&marks), "{marks} breakpoints");

    let second = server.next_request().body;
    let messages = second["messages"].as_array().expect("messages");
    let roles: Vec<_> = messages.iter().filter_map(|message| message["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let blocks = |at: usize| messages[at]["content"].as_array().expect("blocks");
    assert_eq!(
        blocks(1)[..3],
        [
            json!({"type": "thinking", "thinking": "Two files, then.", "signature": "EqQBsigned=="}),
            json!({"type": "redacted_thinking", "data": "EmwKsecret=="}),
            json!({"type": "thinking", "thinking": "", "signature": "EqQBomitted=="}),
        ]
    );
    let results: Vec<(&Value, &Value)> =
        blocks(2).iter().map(|block| (&block["tool_use_id"], &block["is_error"])).collect();
    assert_eq!(
        results,
        [(&json!("toolu_x"), &Value::Null), (&json!("toolu_y"), &json!(true))],
        "all results of a step in one message"
    );
    assert_eq!(server.unseen(), 0);
}

#[test]
fn an_answer_that_breaks_off_books_what_is_known_of_it() {
    let place = Place::new();
    let server = Server::start([Play::CutMessages(Reply::to(100, 0, 0).say("The beginning of"))]);
    let run = place.run_with_provider("echo", &server, TYPE, PRICED);
    let done = run.args(["--format", "json", "Hello."]).done().exited(3);
    assert_eq!(done.answer(), "The beginning of");
    let spends = place.spends_settled();
    assert_eq!(spends.len(), 1);
    // The input as the provider counted it; of the output, what arrived.
    let spent = spends[0].cost;
    assert!(spent > cost(100, 0, 0, 1) && spent < cost(100, 0, 0, 20), "{spent}");
    assert_eq!(done.event("turn_failed")["cost"], spent);
}

#[test]
fn refusals_say_what_helps_and_cost_nothing() {
    let envelope = |kind: &str, message: &str| -> &'static str {
        let body = json!({"type": "error", "error": {"type": kind, "message": message},
            "request_id": "req_1"});
        Box::leak(body.to_string().into_boxed_str())
    };
    for (status, body, expected) in [
        (
            "401 Unauthorized",
            envelope("authentication_error", "invalid x-api-key"),
            "the key set by `providers.mock.api_key in xpressclaw.yaml` was refused",
        ),
        (
            "400 Bad Request",
            envelope("invalid_request_error", "Your credit balance is too low to access the API."),
            "no credit left",
        ),
        ("404 Not Found", envelope("not_found_error", "model: m"), "no model `m`"),
        ("404 Not Found", "nothing", "check the provider's base URL, which ends in `/v1`"),
    ] {
        let place = Place::new();
        let headers = "content-type: application/json\r\n";
        let server = Server::start([Play::Plain { status, headers, body }]);
        let done = place.run_with_provider("echo", &server, TYPE, PRICED).args(["Hello."]).done();
        let done = done.exited(3);
        assert!(done.stderr.contains(expected), "{status}: {}", done.stderr);
        server.next_request();
        assert_eq!(server.unseen(), 0, "{status} is not worth another try");
        let endings: Vec<_> = place.spends().iter().map(|s| (s.ending.clone(), s.cost)).collect();
        assert_eq!(endings, [("released".to_owned(), 0)], "{status}");
    }
}

#[test]
fn an_overloaded_provider_is_tried_again() {
    let place = Place::new();
    let server = Server::start([
        Play::Plain {
            status: "529 Overloaded",
            headers: "retry-after: 0\r\n",
            body: r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        },
        Play::Messages(Reply::to(10, 0, 0).say("Now.").output(2)),
    ]);
    let run = place.run_with_provider("echo", &server, TYPE, PRICED);
    let done = run.args(["--format", "json", "Hello."]).done().succeeded();
    assert_eq!(done.answer(), "Now.");
    assert!(done.event("retry")["reason"].to_string().contains("Overloaded"));
    assert_eq!(place.spent(), cost(10, 0, 0, 2));
}

#[test]
fn a_model_without_a_price_is_refused_with_the_line_that_fixes_it() {
    let place = Place::new();
    let server = Server::start([]);
    let run = place.run_with_provider("echo", &server, TYPE, "{}");
    let done = run.args(["Hello."]).done().exited(2);
    let line = r#"providers: {mock: {models: {m: {price: {input: "$…", output: "$…"}}}}}"#;
    assert!(done.stderr.contains(line), "{}", done.stderr);
    assert_eq!(server.unseen(), 0);
}

/// Azure's way of the other protocol: the model in the path, a version in the query, its own header.
#[test]
fn a_deployment_has_the_model_in_its_path() {
    let place = Place::new();
    let server = Server::start([Play::Stream(e2e::Answer::text("Hi.").usage(10, 0, 2))]);
    let url = server.base_url().replace("/v1", "/openai/deployments/{model}");
    let yaml = format!(
        r#"providers: {{azure: {{
            base_url: "{url}", query: {{api-version: 2024-10-21}},
            headers: {{api-key: "env:AZURE_KEY"}}, output_limit: max_completion_tokens,
            stream_options: false, models: {{gpt-x: {{price: free}}}}}}}}"#
    );
    let config = place.file("xpressclaw.yaml", &yaml);
    let run = place.run("echo").args(["--config", &config, "--model", "azure/gpt-x", "Hello."]);
    let done = run.env("AZURE_KEY", KEY).done().succeeded();
    assert_eq!(done.stdout.trim(), "Hi.");
    let request = server.next_request();
    let line = "POST /openai/deployments/gpt-x/chat/completions?api-version=2024-10-21 HTTP/1.1";
    assert!(request.head.starts_with(line), "{}", request.head);
    assert_eq!(request.header("api-key"), Some(KEY));
    assert_eq!(request.header("authorization"), None);
    assert!(request.body["max_completion_tokens"].is_u64() && request.body["max_tokens"].is_null());
    assert!(request.body["stream_options"].is_null());
}
