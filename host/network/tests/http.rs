//! `wasi:http` through both layers, against servers on loopback.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use common::{Answers, DEADLINE, Server, denying, egress, get, head, send};
use domain::Event;
use http_body_util::BodyExt as _;
use network::{CONNECTIONS_MAX, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use wasmtime_wasi_http::{Error, RequestOptions};

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_literal_grant_reaches_loopback() {
    let (heads, mut seen) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        let heads = heads.clone();
        async move {
            heads.send(head(&mut stream).await).unwrap();
            stream.write_all(HELLO.as_bytes()).await.unwrap();
        }
    })
    .await;
    let origin = format!("http://{}", server.address);
    let (egress, refusals) = egress(&[&origin]);
    let answer = get(&egress, &format!("{origin}/a/b?c=d")).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text().await.unwrap(), "hello");
    let head = seen.recv().await.unwrap();
    assert!(head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {}\r\n", server.address)), "{head}");
    assert!(!head.contains("forged"), "{head}");
    assert_eq!(server.connections(), 1);
    assert!(refusals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_grant_nothing_is_connected_to() {
    let server = Server::answering(HELLO).await;
    let port = server.port();
    let (egress, refusals) = egress(&["https://example.com", "http://127.0.0.1:1"]);
    for _ in 0..2 {
        let error = get(&egress, &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied), "{error}");
    }
    assert_eq!(server.connections(), 0);
    let refusals = refusals.lock().unwrap();
    assert_eq!(refusals.len(), 1, "reported once");
    assert_eq!(refusals[0].reason, Reason::NotGranted);
    let hint = format!("--allow-net http://127.0.0.1:{port}");
    assert!(refusals[0].to_string().contains(&hint), "{}", refusals[0]);
}

#[tokio::test]
async fn only_the_first_resolution_counts() {
    let server = Server::answering(HELLO).await;
    let origin = format!("http://localhost:{}", server.port());

    let good_first = Answers::new(&["127.0.0.1", "10.0.0.1"]);
    let (egress_1, _) = egress(&[&origin]);
    let egress_1 = egress_1.with_resolver(good_first.clone());
    assert_eq!(get(&egress_1, &origin).await.unwrap().text().await.unwrap(), "hello");
    assert_eq!((good_first.asked(), server.connections()), (1, 1));

    let bad_first = Answers::new(&["93.184.216.34", "127.0.0.1"]);
    let (egress_2, _) = egress(&[&origin]);
    let egress_2 = egress_2.with_resolver(bad_first.clone());
    let error = get(&egress_2, &origin).await.unwrap_err();
    assert!(matches!(error, Error::DestinationIpProhibited), "{error}");
    assert_eq!((bad_first.asked(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_public_name_never_reaches_loopback() {
    let server = Server::answering(HELLO).await;
    let origin = format!("http://example.com:{}", server.port());
    for answer in ["127.0.0.1", "93.184.216.34 127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
        let (egress, refusals) = egress(&[&origin]);
        let egress = egress.with_resolver(Answers::new(&[answer]));
        let error = get(&egress, &origin).await.unwrap_err();
        assert!(matches!(error, Error::DestinationIpProhibited), "{answer}: {error}");
        let text = refusals.lock().unwrap()[0].to_string();
        assert!(text.contains("loopback"), "{text}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_odd_spelling_of_an_address_is_that_address() {
    let server = Server::answering(HELLO).await;
    let port = server.port();
    let (egress, _) = egress(&[&format!("http://localhost:{port}")]);
    for host in ["127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"] {
        let error = get(&egress, &format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied), "{host}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_next_address_is_tried() {
    let server = Server::answering(HELLO).await;
    let origin = format!("http://localhost:{}", server.port());
    let (egress, _) = egress(&[&origin]);
    // The server listens on the second address only.
    let egress = egress.with_resolver(Answers::new(&["127.0.0.2 127.0.0.1"]));
    assert_eq!(get(&egress, &origin).await.unwrap().text().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_redirect_is_the_guests_and_is_checked_anew() {
    let server = Server::answering(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let origin = format!("http://{}", server.address);
    let (egress, refusals) = egress(&[&origin]);
    let answer = get(&egress, &origin).await.unwrap();
    assert_eq!(answer.status, 302);
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let error = get(&egress, &location).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error}");
    assert_eq!((server.connections(), refusals.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn requests_that_are_no_requests_to_an_origin_are_refused() {
    let server = Server::answering(HELLO).await;
    let origin = format!("http://{}", server.address);
    let (egress, _) = egress(&[&origin, "http://127.0.0.1"]);
    let connect = http::Request::connect(&origin);
    let error = send(&egress, connect, "", RequestOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestMethodInvalid), "{error}");
    for (uri, protocol) in [
        (format!("http://me:pw@{}/", server.address), false),
        ("http://127.0.0.1:99999/".to_owned(), false),
        ("http://127.0.0.1:/".to_owned(), false),
        (format!("ftp://{}/", server.address), true),
    ] {
        let error = get(&egress, &uri).await.unwrap_err();
        let right = if protocol {
            matches!(error, Error::HttpProtocolError)
        } else {
            matches!(error, Error::HttpRequestUriInvalid)
        };
        assert!(right, "{uri}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_body_streams_both_ways() {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(Some(wait)));
    let server = Server::start(move |mut stream| {
        let wait = wait.lock().unwrap().take().unwrap();
        async move {
            head(&mut stream).await;
            let mut body = [0; 4];
            stream.read_exact(&mut body).await.unwrap();
            assert_eq!(&body, b"ping");
            let start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
            stream.write_all(start).await.unwrap();
            wait.await.unwrap();
            stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let origin = format!("http://{}", server.address);
    let (egress, _) = egress(&[&origin]);
    let request = http::Request::post(&origin);
    let mut answer = send(&egress, request, "ping", RequestOptions::default()).await.unwrap();
    let first = tokio::time::timeout(DEADLINE, answer.body.frame()).await.unwrap();
    assert_eq!(first.unwrap().unwrap().into_data().unwrap(), "one", "before the server goes on");
    go.send(()).unwrap();
    assert_eq!(answer.text().await.unwrap(), "two");
}

#[tokio::test]
async fn silence_ends_in_a_time_out() {
    let silent = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.read_u8().await.ok();
    })
    .await;
    let origin = format!("http://{}", silent.address);
    let (egress_1, _) = egress(&[&origin]);
    let short = Some(Duration::from_millis(50));
    let options = RequestOptions { first_byte_timeout: short, ..Default::default() };
    let error = send(&egress_1, http::Request::get(&origin), "", options).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");

    let stalls = Server::start(|mut stream| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        stream.read_u8().await.ok();
    })
    .await;
    let origin = format!("http://{}", stalls.address);
    let (egress_2, _) = egress(&[&origin]);
    for limit in [Duration::from_millis(50), Duration::ZERO] {
        let options = RequestOptions { between_bytes_timeout: Some(limit), ..Default::default() };
        let answer = send(&egress_2, http::Request::get(&origin), "", options).await.unwrap();
        let error = answer.text().await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
    }
}

#[tokio::test]
async fn failures_keep_their_meaning() {
    for (answer, name) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "HttpResponseIncomplete"),
        ("garbage\r\n\r\n", "HttpProtocolError"),
        ("", "HttpResponseIncomplete"),
    ] {
        let server = Server::answering(answer).await;
        let origin = format!("http://{}", server.address);
        let (egress, _) = egress(&[&origin]);
        let error = match get(&egress, &origin).await {
            Ok(answer) => answer.text().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(format!("{error:?}"), name, "{answer:?}");
    }
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (egress, _) = egress(&[&origin, "http://gone.example"]);
    let egress = egress.with_resolver(Answers::new(&[]));
    let error = get(&egress, &origin).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionRefused), "{error}");
    let error = get(&egress, "http://gone.example/").await.unwrap_err();
    assert!(matches!(error, Error::DnsError { .. }), "{error}");
}

#[tokio::test]
async fn connections_are_bounded_and_given_back() {
    let (closed, mut closes) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        let closed = closed.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await.unwrap();
            stream.read_u8().await.ok();
            closed.send(()).unwrap();
        }
    })
    .await;
    let origin = format!("http://{}", server.address);
    let (egress, _) = egress(&[&origin]);
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        open.push(get(&egress, &origin).await.unwrap());
    }
    let error = get(&egress, &origin).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLimitReached), "{error}");
    assert_eq!(server.connections(), CONNECTIONS_MAX);
    drop(open.pop());
    tokio::time::timeout(DEADLINE, closes.recv()).await.unwrap().unwrap();
    open.push(get(&egress, &origin).await.unwrap());
}

#[tokio::test]
async fn a_denied_host_is_not_connected_to() {
    let (denied, granted) = (Server::answering(HELLO).await, Server::answering(HELLO).await);
    let origins = [&denied, &granted].map(|server| format!("http://{}", server.address));
    let (approvals, events) = denying(&[&denied.address.to_string()]);
    let (egress, _) = egress(&[&origins[0], &origins[1]]);
    let egress = egress.with_approvals(approvals);
    for _ in 0..2 {
        let error = get(&egress, &origins[0]).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied), "{error}");
    }
    assert_eq!(denied.connections(), 0);
    assert_eq!(get(&egress, &origins[1]).await.unwrap().status, 200);
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 1, "told once");
    let subject = denied.address.to_string();
    assert!(matches!(&events[0], Event::Approval { subject: of, .. } if *of == subject));
}
