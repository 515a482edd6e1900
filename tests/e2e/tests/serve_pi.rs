//! The real pi, from npm, on the endpoint: its own print mode and its RPC mode.

use std::io::Write as _;
use std::process::{Command, Stdio};

use e2e::client::{output, pi};
use e2e::{Endpoint, Family, Place, Server, Tape, served};
use serde_json::{Value, json};

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of one answer of [`Family::says`].
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;
const TEXT: &str = "grün 🦀 \"quoted\"\n";

/// A model that writes a file and then says so.
fn writes(family: Family) -> Server {
    let file = json!({"path": "made.txt", "content": TEXT});
    Server::start([family.calls("", "call_w", "write", &file), family.says("It is there.")])
}

/// pi as somebody has it who reads its documentation on own providers.
fn configured(place: &Place, endpoint: &Endpoint, token: &str, api: &str) -> Command {
    let base = match api {
        "anthropic-messages" => endpoint.url.clone(),
        _ => format!("{}/v1", endpoint.url),
    };
    let models = json!({"providers": {"xclaw": {
        "baseUrl": base, "api": api, "apiKey": token,
        "models": [{
            "id": "default", "contextWindow": 128_000, "maxTokens": 16_384,
            "cost": {"input": 2, "output": 8, "cacheRead": 0.5, "cacheWrite": 2},
        }],
    }}});
    let agent = place.path().join("pi");
    std::fs::create_dir_all(&agent).expect("a folder in a temporary folder");
    std::fs::write(agent.join("models.json"), models.to_string()).expect("a file in it");
    let mut command = pi(place);
    command.args(["--provider", "xclaw", "--model", "default"]).env("PI_CODING_AGENT_DIR", agent);
    command
}

/// What was asked, by hand: the call went around, and both answers are paid for.
#[track_caller]
fn went_around(place: &Place, endpoint: Endpoint, server: &Server, family: Family) {
    assert_eq!(place.read("made.txt"), TEXT);
    let first = server.next_request().body;
    assert!(first["tools"].to_string().contains("\"write\""), "{first}");
    let file = json!({"path": "made.txt", "content": TEXT});
    family.continues(server, "call_w", &file, "made.txt");
    assert_eq!(server.unseen(), 0, "nothing was asked again");
    endpoint.stop();
    assert_eq!(place.spent(), 2 * COST);
}

#[test]
fn pi_in_print_mode_writes_a_file() {
    for family in Family::ALL {
        for api in ["openai-completions", "anthropic-messages"] {
            let server = writes(family);
            let place = Place::new();
            let endpoint = place.serve(&served(&server, family.kind(), PRICED, ""));
            let token = place.mint("me");
            let mut command = configured(&place, &endpoint, &token, api);
            command.args(["-p", "Write made.txt."]);
            assert_eq!(output(command, "").trim(), "It is there.", "{family:?} {api}");
            went_around(&place, endpoint, &server, family);
        }
    }
}

#[test]
fn pi_in_rpc_mode_writes_a_file_and_counts_the_same_money() {
    let server = writes(Family::OpenAi);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");
    let mut command = configured(&place, &endpoint, &token, "openai-completions");
    command.args(["--mode", "rpc", "--no-session"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut pi = command.spawn().expect("pi starts");
    let mut stdin = pi.stdin.take().expect("stdin is piped");
    let stdout = Tape::record(pi.stdout.take().expect("stdout is piped"));
    let mut say = |record: Value| writeln!(stdin, "{record}").expect("pi reads");
    let find = |record: &dyn Fn(&Value) -> bool| {
        let found = stdout.wait(|text| {
            let (whole, _) = text.rsplit_once('\n')?;
            let records = whole.split('\n').map(|line| serde_json::from_str(line).expect("JSON"));
            records.into_iter().find(|found: &Value| record(found))
        });
        found.unwrap_or_else(|text| panic!("not in {text}"))
    };
    say(json!({"id": "1", "type": "prompt", "message": "Write made.txt."}));
    find(&|record| record["type"] == "agent_settled");
    let written = find(&|record| record["type"] == "tool_execution_end");
    assert_eq!((&written["toolName"], &written["isError"]), (&json!("write"), &json!(false)));
    say(json!({"id": "2", "type": "get_session_stats"}));
    let stats = find(&|record| record["type"] == "response" && record["id"] == "2");
    // pi reckons in dollars, from the usage that it was told.
    let cost = stats["data"]["cost"].as_f64().expect("a cost");
    assert!((cost - 2.0 * COST as f64 / 1e9).abs() < 1e-9, "{stats}");
    drop(stdin);
    let status = e2e::wait(&mut pi).expect("pi ends when its stdin does");
    assert!(status.success(), "{status}");
    went_around(&place, endpoint, &server, Family::OpenAi);
}

#[test]
fn a_spent_budget_ends_pi_at_once_with_the_reason() {
    let server = Server::start([]);
    let place = Place::new();
    let keys = ", budget: {daily: $0.000001, on_exceeded: stop}";
    let endpoint = place.serve(&served(&server, "openai", PRICED, keys));
    let token = place.mint("me");
    let mut command = configured(&place, &endpoint, &token, "openai-completions");
    let ended = command.args(["-p", "Hello."]).stdin(Stdio::null()).output().expect("pi runs");
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("402") && said.contains("$0.000001"), "{said}");
    let metrics = endpoint.curl(&place, &token, "/metrics", None).body;
    let refused = metrics.lines().find(|line| line.contains("status=\"402\""));
    assert!(refused.is_some_and(|line| line.ends_with(" 1")), "asked once: {metrics}");
    endpoint.stop();
    assert_eq!(server.unseen(), 0);
}
