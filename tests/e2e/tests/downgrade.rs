//! A conversation that goes on with another model, whose window is too small for it.

use e2e::{Answer, Place, Play, Server};
use serde_json::{Value, json};

/// Reads a file in each step until there is no money left, at a dollar for a million tokens.
fn reading(files: usize) -> Vec<Value> {
    let price = json!({"price": {"input": "$1", "output": "$1"}});
    let read = |n: usize| {
        json!({
            "thinking": "One after the other.",
            "tool_calls": [{"name": "read", "arguments": {"path": format!("{n}.txt")}}],
            "usage": {"input": 1_000, "output": 119_000}
        })
    };
    std::iter::once(price).chain((0..files).map(read)).collect()
}

/// Checks what every provider asks of a conversation, and returns the texts of the tools' results.
fn results(body: &Value) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut results = Vec::new();
    for message in body["messages"].as_array().expect("messages") {
        match message["role"].as_str().expect("a role") {
            "assistant" => {
                assert!(open.is_empty(), "calls without results: {open:?}");
                let calls = message["tool_calls"].as_array().into_iter().flatten();
                open = calls.map(|call| call["id"].as_str().expect("an id")).collect();
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().expect("an id");
                let at = open.iter().position(|other| *other == id);
                open.remove(at.unwrap_or_else(|| panic!("a result without a call: {message}")));
                results.push(message["content"].to_string());
            }
            _ => assert!(open.is_empty(), "calls without results: {open:?}"),
        }
    }
    assert!(open.is_empty(), "calls without results: {open:?}");
    results
}

#[test]
fn a_long_conversation_goes_on_with_a_model_of_a_small_window() {
    const FILES: usize = 6;
    let place = Place::new();
    for n in 0..FILES {
        let line = format!("line of file {n}\n");
        std::fs::write(place.workspace().join(format!("{n}.txt")), line.repeat(600)).unwrap();
    }
    let model = place.script(&reading(FILES));
    let again = json!({"path": "0.txt", "limit": 3});
    let server = Server::start([
        Play::Stream(Answer::text("I look again. ").call("again_1", "read", &again)),
        Play::Stream(Answer::text("Six files, each of many lines.")),
    ]);
    let config = place.file(
        "xpressclaw.yaml",
        &format!(
            "agents: [{{name: pi, harness: pi, \
               budget: {{daily: $0.50, on_exceeded: degrade, fallback_model: small/m}}}}]\n\
             providers: {{small: {{type: openai, base_url: \"{}\", \
               models: {{m: {{context_window: 12000, max_output_tokens: 2000, price: free}}}}}}}}",
            server.base_url()
        ),
    );
    let args = ["--config", &config, "--model", &model, "--format", "json", "Read them all."];
    let done = place.run("pi").args(args).done().succeeded();

    // Four answers cost 0.48 dollars; what is left does not pay for reading this history again.
    assert_eq!(done.event("turn_finished")["stop"], "end_turn");
    assert!(done.answer().ends_with("Six files, each of many lines."), "{}", done.answer());
    assert_eq!(done.events_of("step_failed"), Vec::<Value>::new());
    let downgrades = done.events_of("downgrade");
    assert_eq!(downgrades.len(), 2, "{downgrades:?}");
    for downgrade in &downgrades {
        assert_eq!(
            (&downgrade["from"], &downgrade["to"]),
            (&json!("script:script.jsonl"), &json!("small/m"))
        );
        assert!(downgrade["left_out"]["tool_results"].as_u64() > Some(0), "{downgrade}");
        assert!(downgrade["left_out"]["thoughts"].as_u64() > Some(0), "{downgrade}");
    }
    for last in ["line of file 3", "line of file 0"] {
        let body = server.next_request().body;
        let results = results(&body);
        assert!(results.len() >= 4, "the calls are still there: {}", results.len());
        assert!(results[0].contains("left out"), "{}", results[0]);
        assert!(results.last().is_some_and(|text| text.contains(last)), "{last}");
        let bytes = body["messages"].to_string().len() + body["tools"].to_string().len();
        assert!(bytes < 4 * 12_000 * 5 / 4, "{bytes}");
        assert!(!body.to_string().contains("One after the other"), "foreign thinking");
    }
    let spends = place.spends_settled();
    let models: Vec<_> = spends.iter().map(|spend| spend.model.as_str()).collect();
    assert_eq!(models[models.len() - 2..], ["small/m", "small/m"]);
    assert!(spends.iter().all(|spend| spend.requested_model == "script:script.jsonl"));
    assert!(place.spent() <= 500_000_000);
}
