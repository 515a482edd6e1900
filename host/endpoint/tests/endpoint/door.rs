//! Who is let in, and what becomes of those who are not, who wait, and who go away.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::chat::{Delta, Finish, Usage};
use domain::{NanoDollars, OnExceeded, Scope, Window};
use endpoint::{BODY_MAX_BYTES, OPEN_REQUESTS_MAX, PAUSE_MAX};
use futures::StreamExt as _;
use serde_json::{Value, json};
use store::ledger::{Cap, Filter};
use store::token::TokenId;

use crate::bench::{BREAKS, Bench, Double, Play, text};

pub const CHAT: &str = "/v1/chat/completions";
pub const MESSAGES: &str = "/v1/messages";

pub fn hello() -> Play {
    let usage = Usage { input: 10, output: 2, ..Usage::default() };
    vec![
        Ok(Delta::Text("Hello.".into())),
        Ok(Delta::Usage(usage)),
        Ok(Delta::Finished(Finish::Stop)),
    ]
}

pub fn ask(stream: bool) -> String {
    json!({
        "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 100, "stream": stream,
    })
    .to_string()
}

pub fn cap(on_exceeded: OnExceeded, nanos: u64) -> Vec<Cap> {
    vec![Cap { on_exceeded, ..Cap::new(Scope::Agent, Window::Total, NanoDollars(nanos)) }]
}

#[tokio::test]
async fn without_a_good_token_nothing_is_served() {
    let double = Double::plays(hello());
    let bench = Bench::new(&double);
    for (path, kind) in [(CHAT, "invalid_request_error"), (MESSAGES, "authentication_error")] {
        for header in [None, Some("Bearer wrong"), Some("Basic eA=="), Some("Bearer")] {
            let mut request = Request::post(path);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let response = bench.send(request.body(Body::from(ask(false))).unwrap()).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {header:?}");
            let body: Value = serde_json::from_str(&text(response).await).unwrap();
            assert_eq!(body["error"]["type"], kind);
        }
    }
    for path in ["/v1/models", "/metrics"] {
        let response = bench.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let health = bench.send(Request::get("/health").body(Body::empty()).unwrap()).await;
    assert_eq!(health.status(), StatusCode::OK);
    assert!(double.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing_at_once() {
    let bench = Bench::new(&Double::plays(hello()));
    assert_eq!(bench.send(bench.post(CHAT, ask(false))).await.status(), StatusCode::OK);
    bench.store.token().revoke(TokenId::parse("1").unwrap(), 1).unwrap();
    let refused = bench.send(bench.post(CHAT, ask(false))).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_model_of_others_is_refused_and_its_own_are_listed() {
    let double = Double::plays(hello());
    let bench = Bench::new(&double);
    let body = json!({"model": "d/secret", "messages": [{"role": "user", "content": "Hi."}]});
    let refused = bench.send(bench.post(CHAT, body.to_string())).await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    let error: Value = serde_json::from_str(&text(refused).await).unwrap();
    assert_eq!(error["error"]["code"], "model_not_found");
    assert!(double.calls.lock().unwrap().is_empty());
    let mut request = bench.post("/v1/models", "");
    *request.method_mut() = axum::http::Method::GET;
    let listed: Value = serde_json::from_str(&text(bench.send(request).await).await).unwrap();
    let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert_eq!(names, ["d/m", "d/other"]);
}

#[tokio::test]
async fn a_spent_budget_is_402_in_the_words_of_either_family() {
    for (path, kind) in [(CHAT, "insufficient_quota"), (MESSAGES, "billing_error")] {
        for stream in [false, true] {
            let double = Double::plays(hello());
            let bench = Bench::with_caps(&double, cap(OnExceeded::Stop, 5));
            let refused = bench.send(bench.post(path, ask(stream))).await;
            assert_eq!(refused.status(), StatusCode::PAYMENT_REQUIRED);
            assert!(refused.headers().get("retry-after").is_none(), "nobody is to try again");
            let body: Value = serde_json::from_str(&text(refused).await).unwrap();
            assert_eq!(body["error"]["type"], kind);
            assert!(double.calls.lock().unwrap().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_stream_shows_signs_of_life_and_goes_on_when_the_cap_is_raised() {
    let bench = Bench::with_caps(&Double::plays(hello()), cap(OnExceeded::Pause, 5));
    let response = bench.send(bench.post(CHAT, ask(true))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    for _ in 0..3 {
        assert_eq!(body.next().await.unwrap().unwrap(), ": waiting\n\n");
    }
    let raised = Cap::new(Scope::Agent, Window::Total, NanoDollars(1_000_000));
    let agent = domain::AgentName::new("me").unwrap();
    bench.store.ledger().set_cap(Some(&agent), &raised, 1).unwrap();
    let mut rest = String::new();
    while let Some(piece) = body.next().await {
        rest.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    assert!(rest.contains("Hello."), "{rest}");
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_lasts_ends_in_429() {
    for path in [CHAT, MESSAGES] {
        let bench = Bench::with_caps(&Double::plays(hello()), cap(OnExceeded::Pause, 5));
        let began = tokio::time::Instant::now();
        let refused = bench.send(bench.post(path, ask(false))).await;
        assert!(began.elapsed() >= PAUSE_MAX);
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "60");
        // A stream has begun by then: the error is on it, and its end.
        let response = bench.send(bench.post(path, ask(true))).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = text(response).await;
        assert!(body.contains("rate_limit_error") && body.contains("paused until"), "{body}");
        assert!(path == MESSAGES || body.ends_with("data: [DONE]\n\n"), "{body}");
    }
}

#[tokio::test]
async fn who_goes_away_is_settled_for() {
    let double = Double::silent();
    let bench = Bench::new(&double);
    let response = bench.send(bench.post(CHAT, ask(true))).await;
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    while double.calls.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(body);
    bench.pipeline.drain().await;
    let agent = domain::AgentName::new("me").unwrap();
    let filter = Filter { agent: Some(&agent), ..Filter::default() };
    let spent = bench.store.ledger().history(&filter, 10).unwrap();
    assert_eq!(spent.len(), 1);
    assert!(spent[0].cost > NanoDollars(0), "the prompt was sent: {spent:?}");
}

#[tokio::test]
async fn a_request_that_breaks_the_host_is_500_and_others_are_served() {
    let bench = Bench::new(&Double::plays(hello()));
    let body = json!({BREAKS: "low", "messages": [{"role": "user", "content": "Hi."}]});
    let broken = bench.send(bench.post(CHAT, body.to_string())).await;
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!text(broken).await.contains("mistake"), "what went wrong is in the log");
    assert_eq!(bench.send(bench.post(CHAT, ask(false))).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_large_or_no_json_is_refused_with_the_reason() {
    let bench = Bench::new(&Double::plays(hello()));
    for (body, status, part) in [
        (" ".repeat(BODY_MAX_BYTES + 1), StatusCode::PAYLOAD_TOO_LARGE, "more than"),
        ("{".to_owned(), StatusCode::BAD_REQUEST, "no JSON"),
        ("[]".to_owned(), StatusCode::BAD_REQUEST, "the request must be an object"),
        ("{}".to_owned(), StatusCode::BAD_REQUEST, "`messages` is missing"),
    ] {
        let refused = bench.send(bench.post(CHAT, body)).await;
        assert_eq!(refused.status(), status);
        let body = text(refused).await;
        assert!(body.contains(part), "{body}");
    }
    let nowhere = bench.send(bench.post("/v1/embeddings", "{}")).await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let double = Double::silent();
    let bench = Bench::new(&double);
    let mut open = Vec::new();
    for _ in 0..OPEN_REQUESTS_MAX {
        open.push(bench.send(bench.post(CHAT, ask(true))).await);
    }
    let refused = bench.send(bench.post(CHAT, ask(true))).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    open.pop();
    assert_eq!(bench.send(bench.post(CHAT, ask(true))).await.status(), StatusCode::OK);
}

/// No text that anybody sent or got, and no token, is in the metrics.
#[tokio::test]
async fn metrics_count_and_tell_nothing() {
    let bench = Bench::new(&Double::plays(hello()));
    bench.send(bench.post(CHAT, ask(false))).await;
    let mut request = bench.post("/metrics", "");
    *request.method_mut() = axum::http::Method::GET;
    let metrics = text(bench.send(request).await).await;
    let lines = [
        r#"xpressclaw_requests_total{agent="me",protocol="openai",status="200"} 1"#,
        r#"xpressclaw_cost_nanodollars_total{agent="me",model="d/m"} 12"#,
        r#"xpressclaw_tokens_total{agent="me",model="d/m",kind="input"} 10"#,
        "xpressclaw_open_requests 0",
        "# EOF",
    ];
    for line in lines {
        assert!(metrics.lines().any(|has| has == line), "{line} in\n{metrics}");
    }
    assert!(!metrics.contains("Hello.") && !metrics.contains(&bench.token), "{metrics}");
}
