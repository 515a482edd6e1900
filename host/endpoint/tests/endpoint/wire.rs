//! The endpoint on real connections: those that say nothing, those that never end, and its own end.
//! Time is tokio's: it jumps when nothing else is to be done.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use domain::{AgentName, NanoDollars, OnExceeded, Scope, Window};
use endpoint::{DRAIN_MAX, Endpoint, HEAD_READ_MAX, OPEN_REQUESTS_MAX};
use futures::{StreamExt as _, stream};
use serde_json::Value;
use store::ledger::{Cap, Filter};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, Double, text};
use crate::door::{CHAT, MESSAGES, ask, cap, hello};

/// A server under way. Dropping `end` ends it.
struct Server {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn serve(endpoint: Endpoint) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let served = tokio::spawn(endpoint::serve(listener, endpoint, async {
        let _ = ended.await;
    }));
    Server { address, end, served }
}

/// Sends a request for a stream and reads until its first event is there.
async fn open(server: &Server, bench: &Bench) -> TcpStream {
    let body = ask(true);
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        bench.token,
        body.len()
    );
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("\n: ") && !seen.contains("\ndata: ") {
        let mut piece = [0; 4_096];
        let length = client.read(&mut piece).await.unwrap();
        assert!(length > 0, "the connection ended: {seen}");
        seen.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    client
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_its_connection() {
    let bench = Bench::new(&Double::plays(hello()));
    let server = serve(bench.endpoint.clone()).await;
    for sent in ["", "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"] {
        let began = Instant::now();
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        let closed = timeout(2 * HEAD_READ_MAX, client.read_to_end(&mut got)).await;
        closed.expect("the connection is closed").unwrap();
        assert!(began.elapsed() >= HEAD_READ_MAX);
        assert!(!String::from_utf8(got).unwrap().contains("200"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_lets_answers_come_to_theirs_and_takes_nobody_new() {
    let bench = Bench::with_caps(&Double::plays(hello()), cap(OnExceeded::Pause, 5));
    let server = serve(bench.endpoint.clone()).await;
    let mut client = open(&server, &bench).await;
    drop(server.end);
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let raised = Cap::new(Scope::Agent, Window::Total, NanoDollars(1_000_000));
    let agent = AgentName::new("me").unwrap();
    bench.store.ledger().set_cap(Some(&agent), &raised, 1).unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("Hello.") && rest.contains("data: [DONE]\n\n"), "{rest}");
    let served = timeout(DRAIN_MAX, server.served).await;
    served.expect("nothing is left to wait for").unwrap();
}

/// The client neither reads nor goes away, and the provider neither answers nor ends.
#[tokio::test(start_paused = true)]
async fn an_end_is_not_held_up_by_an_answer_that_has_none() {
    let bench = Bench::new(&Double::silent());
    let server = serve(bench.endpoint.clone()).await;
    let _client = open(&server, &bench).await;
    let began = Instant::now();
    drop(server.end);
    let served = timeout(2 * DRAIN_MAX, server.served).await;
    served.expect("the server ends").unwrap();
    assert!(began.elapsed() >= DRAIN_MAX, "the answer had its time");
    let drained = timeout(DRAIN_MAX, bench.pipeline.drain()).await;
    drained.expect("the call was cancelled with its connection");
    let agent = AgentName::new("me").unwrap();
    let filter = Filter { agent: Some(&agent), ..Filter::default() };
    assert_eq!(bench.store.ledger().history(&filter, 10).unwrap().len(), 1, "it is settled");
}

/// What a second signal does.
#[tokio::test(start_paused = true)]
async fn an_end_that_is_given_up_cuts_answers_at_once() {
    let double = Double::silent();
    let bench = Bench::new(&double);
    let server = serve(bench.endpoint.clone()).await;
    let mut client = open(&server, &bench).await;
    drop(server.end);
    // It waits for the answer when it takes nobody new.
    while TcpStream::connect(server.address).await.is_ok()
        || double.calls.lock().unwrap().is_empty()
    {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    server.served.abort();
    let mut rest = Vec::new();
    // How a connection that is cut ends is the system's business.
    let _ = client.read_to_end(&mut rest).await;
    bench.pipeline.drain().await;
    assert!(began.elapsed() < DRAIN_MAX);
    let spent = bench.store.ledger().history(&Filter::default(), 10).unwrap();
    assert_eq!(spent.len(), 1, "it is settled");
}

/// Places are taken before bodies are read, so that bodies are bounded with them.
#[tokio::test]
async fn where_no_place_is_left_no_body_is_read() {
    let bench = Bench::new(&Double::silent());
    let mut open = Vec::new();
    for _ in 0..OPEN_REQUESTS_MAX {
        open.push(bench.send(bench.post(CHAT, ask(true))).await);
    }
    let endless = stream::pending::<Result<Bytes, Infallible>>().boxed();
    let refused = bench.send(bench.post(CHAT, Body::from_stream(endless))).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_answer_names_its_request_as_the_ledger_does() {
    let bench = Bench::new(&Double::plays(hello()));
    for (path, header) in [(CHAT, "x-request-id"), (MESSAGES, "request-id")] {
        let answer = bench.send(bench.post(path, ask(false))).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let id = answer.headers()[header].to_str().unwrap().to_owned();
        let newest = &bench.store.ledger().history(&Filter::default(), 1).unwrap()[0];
        assert_eq!(newest.task, id);
        // Refusals have one as well, for the log.
        let mut refused = bench.post(path, ask(false));
        refused.headers_mut().remove("authorization");
        let refused = bench.send(refused).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_ne!(refused.headers()[header].to_str().unwrap(), id);
    }
}

#[tokio::test]
async fn one_model_is_shown_by_its_name() {
    let bench = Bench::new(&Double::plays(hello()));
    for (name, shown) in [
        ("d/m", Some("d/m")),
        ("d%2Fother", Some("d/other")),
        ("default", Some("d/m")),
        ("d/none", None),
        ("d/foreign", None),
    ] {
        for (version, kind) in [(None, "object"), (Some("2023-06-01"), "type")] {
            let mut request = bench.post(&format!("/v1/models/{name}"), "");
            *request.method_mut() = Method::GET;
            if let Some(version) = version {
                request.headers_mut().insert("anthropic-version", version.parse().unwrap());
            }
            let answer = bench.send(request).await;
            let status = answer.status();
            let body: Value = serde_json::from_str(&text(answer).await).unwrap();
            match shown {
                Some(shown) => {
                    assert_eq!(status, StatusCode::OK, "{name}: {body}");
                    assert_eq!((&body["id"], &body[kind]), (&shown.into(), &"model".into()));
                }
                None => {
                    assert_eq!(status, StatusCode::NOT_FOUND, "{name}: {body}");
                    assert!(body["error"]["message"].as_str().unwrap().contains("/v1/models"));
                }
            }
        }
    }
}

#[tokio::test]
async fn another_method_is_refused_in_the_words_of_the_family() {
    let bench = Bench::new(&Double::plays(hello()));
    let mut request = bench.post(CHAT, "");
    *request.method_mut() = Method::GET;
    let refused = bench.send(request).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()["allow"], "POST");
    let body: Value = serde_json::from_str(&text(refused).await).unwrap();
    assert_eq!(body["error"]["message"], "/v1/chat/completions takes no GET");
}

/// What the metrics say was paid is what the ledger says, also of those who went away.
#[tokio::test]
async fn metrics_have_the_money_of_those_who_went_away() {
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
    let spent = &bench.store.ledger().history(&Filter::default(), 1).unwrap()[0];
    let mut request = bench.post("/metrics", "");
    *request.method_mut() = Method::GET;
    let metrics = text(bench.send(request).await).await;
    assert!(spent.cost > NanoDollars(0));
    let lines = [
        format!(r#"xpressclaw_cost_nanodollars_total{{agent="me",model="d/m"}} {}"#, spent.cost.0),
        r#"xpressclaw_requests_total{agent="me",protocol="openai",status="499"} 1"#.to_owned(),
    ];
    for line in lines {
        assert!(metrics.lines().any(|has| has == line), "{line} in\n{metrics}");
    }
}
