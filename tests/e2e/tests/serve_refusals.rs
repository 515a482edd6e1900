//! What the endpoint refuses, as the official clients' own exceptions. What they repeat by
//! themselves is counted: by the provider, or by the endpoint where no provider is asked.

use e2e::{Client, Endpoint, Family, How, Place, Play, Server, served};
use serde_json::{Value, json};

const PRICED: &str = r#"{price: {input: "$2", output: "$8"}}"#;

/// The client's exception, of a whole answer and of a stream; both must be the same.
#[track_caller]
fn refused(
    client: Client,
    place: &Place,
    endpoint: &Endpoint,
    token: &str,
    request: &Value,
) -> Value {
    let ask = |how| client.ask(place, endpoint, token, how, request).failed();
    let (whole, stream) = (ask(How::Whole), ask(How::Stream));
    assert_eq!(whole, stream, "{client:?}");
    whole
}

/// How many requests were answered with `status`, by the endpoint's own counters.
#[track_caller]
fn answered(place: &Place, endpoint: &Endpoint, token: &str, status: u16) -> u64 {
    let metrics = endpoint.curl(place, token, "/metrics", None).body;
    let label = format!("status=\"{status}\"");
    let counts = metrics
        .lines()
        .filter(|line| line.starts_with("xpressclaw_requests_total{") && line.contains(&label));
    counts
        .map(|line| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number"))
        .sum()
}

#[test]
fn a_bad_token_is_the_clients_authentication_error() {
    let server = Server::start([]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let good = place.mint("me");
    for client in Client::ALL {
        for token in ["xpc_wrong", &good[..good.len() - 1]] {
            let request = client.question(json!("Hello."));
            let error = refused(client, &place, &endpoint, token, &request);
            assert_eq!(
                (&error["class"], &error["status"]),
                (&json!("AuthenticationError"), &json!(401))
            );
            assert!(error["message"].to_string().contains("xpressclaw token list"), "{error}");
            assert!(!error.to_string().contains(token), "{error}");
            match client.family() {
                Family::OpenAi => assert_eq!(error["code"], "invalid_api_key"),
                Family::Anthropic => assert_eq!(error["type"], "authentication_error"),
            }
        }
    }
    endpoint.stop();
    assert_eq!(server.unseen(), 0);
    assert_eq!(place.spends(), []);
}

#[test]
fn an_unknown_model_is_the_clients_not_found_error() {
    let server = Server::start([]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");
    for client in Client::ALL {
        let mut request = client.question(json!("Hello."));
        request["model"] = json!("gpt-none");
        let error = refused(client, &place, &endpoint, &token, &request);
        assert_eq!((&error["class"], &error["status"]), (&json!("NotFoundError"), &json!(404)));
        assert!(error["message"].to_string().contains("gpt-none"), "{error}");
        match client.family() {
            Family::OpenAi => assert_eq!(error["code"], "model_not_found"),
            Family::Anthropic => assert_eq!(error["type"], "not_found_error"),
        }
    }
    endpoint.stop();
    assert_eq!(server.unseen(), 0);
}

#[test]
fn a_spent_budget_is_refused_once_and_no_client_tries_again() {
    let server = Server::start([]);
    let place = Place::new();
    let keys = ", budget: {daily: $0.000001, on_exceeded: stop}";
    let endpoint = place.serve(&served(&server, "openai", PRICED, keys));
    let token = place.mint("me");
    let mut asked = 0;
    for client in Client::ALL {
        let request = client.question(json!("Hello."));
        let error = refused(client, &place, &endpoint, &token, &request);
        asked += 2;
        assert_eq!(error["status"], 402, "{error}");
        assert!(error["message"].to_string().contains("$0.000001"), "{error}");
        assert_eq!(error["retry_after"], Value::Null, "{error}");
        match client.family() {
            Family::OpenAi => assert_eq!(error["code"], "insufficient_quota"),
            Family::Anthropic => assert_eq!(error["type"], "billing_error"),
        }
        assert_eq!(answered(&place, &endpoint, &token, 402), asked, "{client:?} asked again");
    }
    endpoint.stop();
    assert_eq!(server.unseen(), 0);
    assert_eq!(place.spends(), [], "nothing was sent");
}

#[test]
fn a_provider_that_is_asked_too_much_is_the_clients_rate_limit_error() {
    // They wait most of the time, so they wait together.
    std::thread::scope(|scope| {
        for client in Client::ALL {
            scope.spawn(move || rate_limited(client));
        }
    });
}

fn rate_limited(client: Client) {
    /// The first attempt and the two that every official client makes by itself, of each of which
    /// the pipeline makes four.
    const ATTEMPTS: usize = 3 * 4;
    let busy = || Play::Plain {
        status: "429 Too Many Requests",
        headers: "retry-after: 1\r\n",
        body: r#"{"error": {"message": "slow down"}}"#,
    };
    let server = Server::start((0..=ATTEMPTS).map(|_| busy()));
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");
    let request = client.question(json!("Hello."));
    let error = client.ask(&place, &endpoint, &token, How::Whole, &request).failed();
    assert_eq!((&error["class"], &error["status"]), (&json!("RateLimitError"), &json!(429)));
    assert_eq!(error["retry_after"], "1", "{error}");
    match client.family() {
        Family::OpenAi => assert_eq!(error["code"], "rate_limit_exceeded"),
        Family::Anthropic => assert_eq!(error["type"], "rate_limit_error"),
    }
    assert_eq!(server.unseen(), ATTEMPTS, "{client:?}");
    endpoint.stop();
    assert_eq!(place.spent(), 0, "{client:?}");
}
