//! `xpressclaw serve` and its tokens, seen with curl: who is served, whose money is spent, and who
//! answers when there is none left.

use e2e::{Family, Place, Server, served};
use serde_json::{Value, json};

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of one answer of [`Family::says`].
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;
const CHAT: &str = "/v1/chat/completions";
const HELLO: &str = r#"{"model": "default", "messages": [{"role": "user", "content": "Hello."}]}"#;

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body:?}"))
}

#[test]
fn health_needs_no_token_and_everything_else_does() {
    let server = Server::start([]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");
    let health = endpoint.curl(&place, "", "/health", None);
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    for (path, body) in [
        ("/v1/models", None),
        ("/metrics", None),
        (CHAT, Some(HELLO)),
        ("/v1/messages", Some(HELLO)),
    ] {
        let refused = endpoint.curl(&place, "", path, body);
        assert_eq!(refused.status, 401, "{path}: {refused:?}");
        assert!(refused.body.contains("xpressclaw token mint"), "{path}: {refused:?}");
    }
    let models = json_of(&endpoint.curl(&place, &token, "/v1/models", None).body);
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("mock/m")));
    let done = endpoint.stop();
    assert!(!done.stdout.contains(&token) && !done.stderr.contains(&token));
    assert_eq!(server.unseen(), 0);
}

#[test]
fn a_token_that_is_revoked_is_refused_at_once_by_the_running_server() {
    let server = Server::start([Family::OpenAi.says("Hello."), Family::OpenAi.says("Hello.")]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let (lost, kept) = (place.mint("me"), place.mint("me"));
    assert_eq!(place.files_holding(&lost), Vec::<std::path::PathBuf>::new(), "kept as a digest");
    assert_eq!(endpoint.curl(&place, &lost, CHAT, Some(HELLO)).status, 200);

    let list = place.command(["token", "list", "--format", "json"]).done().succeeded();
    let first = list.events().into_iter().map(|row| row["id"].clone()).min_by_key(Value::to_string);
    let id = first.expect("a token");
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    place.command(["token", "revoke", &id]).done().succeeded();
    let refused = endpoint.curl(&place, &lost, CHAT, Some(HELLO));
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(json_of(&refused.body)["error"]["code"], "invalid_api_key");
    assert_eq!(endpoint.curl(&place, &kept, CHAT, Some(HELLO)).status, 200);
    endpoint.stop();
    assert_eq!(place.spent(), 2 * COST);
}

#[test]
fn each_agent_pays_for_its_own_tokens() {
    let says = || Family::OpenAi.says("Hello.");
    let server = Server::start([says(), says(), says()]);
    let place = Place::new();
    let yaml = served(&server, "openai", PRICED, "");
    let other = "agents: [{name: other, harness: pi, model: mock/m, \
                 budget: {daily: $0.000001, on_exceeded: stop}}, {name: poor, harness: pi, model: mock/m}, ";
    let endpoint = place.serve(&yaml.replace("agents: [", other));
    let (mine, poor, other) = (place.mint("me"), place.mint("poor"), place.mint("other"));
    for (token, expected) in [(&mine, 200), (&poor, 200), (&other, 402), (&mine, 200)] {
        // A request says nothing about who it is, whatever it says.
        let body = r#"{"model": "default", "user": "other", "agent": "other",
            "messages": [{"role": "user", "content": "Hello."}]}"#;
        let answer = endpoint.curl(&place, token, CHAT, Some(body));
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    endpoint.stop();
    let spends = place.spends_settled();
    let paid: Vec<_> = spends.iter().map(|spend| (spend.agent.as_str(), spend.cost)).collect();
    assert_eq!(paid, [("me", COST), ("poor", COST), ("me", COST)]);
}

#[test]
fn a_spent_budget_degrades_to_the_local_model_and_says_so() {
    let server = Server::start([]);
    let place = Place::new();
    let keys = ", budget: {daily: $0.000001, on_exceeded: degrade}";
    let yaml = served(&server, "openai", PRICED, keys) + "local: {context_window: 512}\n";
    let endpoint = place
        .serve_with(&yaml, |run| run.env("XPRESSCLAW_MODEL_PATH", e2e::models().into_os_string()));
    let token = place.mint("me");
    for (path, stream) in
        [(CHAT, false), (CHAT, true), ("/v1/messages", false), ("/v1/messages", true)]
    {
        let mut body = json_of(HELLO);
        body["max_tokens"] = json!(8);
        body["stream"] = json!(stream);
        let answer = endpoint.curl(&place, &token, path, Some(&body.to_string()));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("x-xpressclaw-downgraded-from"), Some("mock/m"), "{answer:?}");
        let model = answer.header("x-xpressclaw-model").expect("a model");
        assert!(model.starts_with("local"), "{answer:?}");
        let words = ["\"content\":", "\"text\":"].iter().any(|word| answer.body.contains(word));
        assert!(words, "{answer:?}");
    }
    endpoint.stop();
    assert_eq!(server.unseen(), 0);
    let spends = place.spends_settled();
    assert_eq!(spends.len(), 4);
    for spend in spends {
        assert_eq!((spend.requested_model.as_str(), spend.cost), ("mock/m", 0));
        assert!(spend.model.starts_with("local"), "{spend:?}");
    }
}
