//! What is seen from outside: spans at a collector, log lines in JSON, and nothing that was said.

use std::collections::BTreeMap;

use e2e::{Answer, KEY, Place, Play, Run, Server};
use serde_json::{Value, json};

/// Recognisable wherever they turn up.
const PROMPT: &str = "prompt-5ecret-4711";
const SAID: &str = "answer-5ecret-4712";
const WRITTEN: &str = "content-5ecret-4713";

/// A collector that takes whatever comes.
fn collector() -> Server {
    let fine = || Play::Plain { status: "200 OK", headers: "", body: "{}" };
    Server::start(std::iter::repeat_with(fine).take(16))
}

fn observed(run: Run, server: &Server) -> Run {
    let base = server.base_url();
    let endpoint = base.strip_suffix("/v1").expect("a base with a version");
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-team=red%20one")
        .env("OTEL_SERVICE_NAME", "tested")
}

/// A turn with a tool call, and what it said on stderr.
fn turn(place: &Place, collector: &Server) -> (String, Server) {
    let server = Server::start([
        Play::Stream(
            Answer::text(SAID)
                .call("w", "write", &json!({"path": "a.txt", "content": WRITTEN}))
                .usage(100, 60, 7),
        ),
        Play::Stream(Answer::text("Done.").usage(120, 100, 3)),
    ]);
    let run = place.run_with("pi", &server, r#"{price: {input: "$2", output: "$8"}}"#);
    let logged = ["--log-level", "debug", "--log-format", "json", "--session", "s1", PROMPT];
    let done = observed(run, collector).args(logged).done().succeeded();
    assert_eq!(place.read("a.txt"), WRITTEN);
    (done.stderr, server)
}

/// Name, id, parent and attributes of every span.
struct Span {
    name: String,
    id: String,
    parent: Option<String>,
    trace: String,
    kind: u64,
    attributes: BTreeMap<String, Value>,
}

fn spans(body: &Value) -> Vec<Span> {
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |span: &Value| Span {
        name: text(&span["name"]).expect("a name"),
        id: text(&span["spanId"]).expect("an id"),
        parent: text(&span["parentSpanId"]),
        trace: text(&span["traceId"]).expect("a trace"),
        kind: span["kind"].as_u64().expect("a kind"),
        attributes: span["attributes"]
            .as_array()
            .expect("attributes")
            .iter()
            .map(|pair| (text(&pair["key"]).expect("a key"), pair["value"].clone()))
            .collect(),
    };
    spans.iter().map(one).collect()
}

#[test]
fn a_turn_its_steps_and_its_tools_arrive_as_spans() {
    let (place, collector) = (Place::new(), collector());
    turn(&place, &collector);
    let request = collector.next_request();
    assert!(request.head.starts_with("POST /v1/traces HTTP/1.1"), "{}", request.head);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-team"), Some("red one"));
    let resource = &request.body["resourceSpans"][0]["resource"]["attributes"];
    assert_eq!(*resource, json!([{"key": "service.name", "value": {"stringValue": "tested"}}]));
    let spans = all(&request.body, &collector);
    let named = |name: &str| -> Vec<&Span> { spans.iter().filter(|s| s.name == name).collect() };
    let [turn] = named("invoke_agent pi")[..] else { panic!("one turn") };
    assert_eq!(turn.parent, None);
    let steps = named("chat mock/m");
    assert_eq!(steps.len(), 2);
    let [tool] = named("execute_tool write")[..] else { panic!("one tool call") };
    for child in steps.iter().chain([&tool]) {
        assert_eq!(child.parent.as_ref(), Some(&turn.id), "{}", child.name);
        assert_eq!(child.trace, turn.trace);
    }
    let text = |text: &str| json!({"stringValue": text});
    let number = |number: u64| json!({"intValue": number.to_string()});
    let has = |span: &Span, expected: &[(&str, Value)]| {
        for (key, value) in expected {
            assert_eq!(span.attributes.get(*key), Some(value), "{key} of {}", span.name);
        }
    };
    has(
        turn,
        &[
            ("gen_ai.operation.name", text("invoke_agent")),
            ("gen_ai.agent.name", text("pi")),
            ("gen_ai.conversation.id", text("s1")),
            ("gen_ai.usage.input_tokens", number(220)),
            ("gen_ai.usage.output_tokens", number(10)),
        ],
    );
    let first = steps.iter().find(|step| step.attributes["xpressclaw.step"] == number(1));
    let first = first.expect("the first step");
    assert_eq!(first.kind, 3, "a client");
    has(
        first,
        &[
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.provider.name", text("mock")),
            ("gen_ai.request.model", text("mock/m")),
            ("gen_ai.response.model", text("mock/m")),
            (
                "gen_ai.response.finish_reasons",
                json!({"arrayValue": {"values": [text("tool_calls")]}}),
            ),
            ("gen_ai.usage.input_tokens", number(100)),
            ("gen_ai.usage.cache_read.input_tokens", number(60)),
            ("gen_ai.usage.output_tokens", number(7)),
            ("gen_ai.conversation.id", text("s1")),
        ],
    );
    has(
        tool,
        &[
            ("gen_ai.operation.name", text("execute_tool")),
            ("gen_ai.tool.name", text("write")),
            ("gen_ai.tool.call.id", text("w")),
        ],
    );
    for name in ["start", "admit", "price", "reserve", "stream", "settle"] {
        assert!(!named(name).is_empty(), "no span {name}");
    }
}

/// The spans of all requests that arrived by the end of the run.
fn all(first: &Value, collector: &Server) -> Vec<Span> {
    let mut found = spans(first);
    while !found.iter().any(|span| span.name.starts_with("invoke_agent")) {
        found.extend(spans(&collector.next_request().body));
    }
    found
}

#[test]
fn nothing_that_was_said_and_no_key_and_no_path_leaves() {
    let (place, collector) = (Place::new(), collector());
    let (stderr, _server) = turn(&place, &collector);
    let lines: Vec<Value> = stderr
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert!(lines.len() > 3, "the log is on: {stderr}");
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    let logged: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut sent = String::new();
    loop {
        let body = collector.next_request().body;
        sent.push_str(&body.to_string());
        if sent.contains("invoke_agent") {
            break;
        }
    }
    let folder = place.path().to_str().expect("a readable path").to_owned();
    for secret in [PROMPT, SAID, WRITTEN, KEY, "a.txt", &folder] {
        assert!(!sent.contains(secret), "{secret} was sent: {sent}");
        assert!(!logged.contains(secret), "{secret} was logged: {logged}");
    }
}

#[test]
fn a_dead_collector_costs_one_line() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Fine."})]);
    let run = place.run("echo").args(["--model", &model, "Hello."]);
    // Nothing listens on the discard port of loopback.
    let done = run.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").done().succeeded();
    assert_eq!(done.stdout, "Fine.\n");
    let lost = "warning: spans were lost: no connection to 127.0.0.1:9";
    assert_eq!(done.stderr.matches("warning").count(), 1, "{}", done.stderr);
    assert!(done.stderr.contains(lost), "{}", done.stderr);
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_runs() {
    let place = Place::new();
    for (variable, value, part) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "no http or https URL"),
        ("XPRESSCLAW_LOG", "llm=loud", "the log's level cannot be used"),
        ("XPRESSCLAW_LOG_FORMAT", "xml", "neither `text` nor `json`"),
    ] {
        let done = place.command(["memory", "list"]).env(variable, value).done().exited(2);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
}
