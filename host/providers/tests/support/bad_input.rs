//! What no server should send, against either protocol. Each case says what the user reads, and
//! that one request was sent: nothing here tries again.

use std::io::Write as _;

use domain::provider::{Provider, ProviderError, Sent};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, Step, answer, chunk, end, head};
use crate::{KEY, call, provider};

const JSON: &str = "content-type: application/json\r\n";

/// How the call fails, wherever it does; what was said before does not matter here.
async fn failure(provider: &dyn Provider) -> ProviderError {
    let run = async {
        let mut stream = match provider.call(call()).await {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    assert!(stream.next().await.is_none(), "an item after the error");
                    return error;
                }
                None => panic!("an answer without an end"),
            }
        }
    };
    let error = timeout(DEADLINE, run).await.unwrap();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("0123456789abcdef"), "{shown}");
    error
}

async fn failure_of(play: Vec<Step>) -> ProviderError {
    let mut double = Double::start(vec![play]).await;
    let error = failure(&*provider(&double.base_url())).await;
    assert_eq!(double.unseen(), 1, "{error}");
    error
}

#[tokio::test]
async fn statuses_name_the_fix() {
    for (status, body, expected) in [
        ("400 Bad Request", r#"{"error":{"message":"bad `tools`"}}"#, "bad `tools`"),
        (
            "401 Unauthorized",
            r#"{"error":{"message":"no"}}"#,
            "the key set by `providers.p.api_key` was refused",
        ),
        ("402 Payment Required", "", "no credit left"),
        (
            "403 Forbidden",
            r#"{"error":{"message":"not here"}}"#,
            "`providers.p.api_key` was refused: not here",
        ),
        ("404 Not Found", "<html>?</html>", "check the provider's base URL"),
        (
            "413 Payload Too Large",
            r#"{"error":{"message":"32 MB"}}"#,
            "was refused (status 413): 32 MB",
        ),
        ("429 Too Many Requests", "{", "too many requests"),
        ("500 Internal Server Error", "\u{0}", "internal server error"),
        ("529 Overloaded", "", "status 529: overloaded"),
        ("308 Permanent Redirect", "", "set the provider's base URL to the final address"),
    ] {
        // Every server's favourite mistake: to repeat the key.
        let body = body.replace("message\":\"", &format!("message\":\"{KEY} "));
        let error = failure_of(answer(status, JSON, &body)).await.to_string();
        assert!(error.replace("[removed] ", "").contains(expected), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let mut elsewhere = Double::start(vec![]).await;
    let location = format!("location: http://{}/v1\r\n", elsewhere.address);
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect"] {
        let error = failure_of(answer(status, &location, "")).await;
        assert!(matches!(error, ProviderError::Status { .. }), "{error:?}");
        assert!(!error.to_string().contains(&elsewhere.address.to_string()), "{error}");
    }
    assert_eq!(elsewhere.unseen(), 0);
}

#[tokio::test]
async fn compressed_answers_are_named() {
    let start = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                content-encoding: gzip\r\ncontent-length: 4\r\n\r\n";
    let bytes = [start.as_bytes(), &[0x1f, 0x8b, 8, 0]].concat();
    let error = failure_of(vec![Step::Send(bytes), Step::Close]).await;
    assert!(matches!(error, ProviderError::Malformed { .. }), "{error:?}");
    assert!(error.to_string().contains("content coding `gzip`"), "{error}");
    // Without the header it is a body of nonsense.
    let error = failure_of(vec![head(), chunk(&[0x1f, 0x8b, 8, 0, b'\n']), end()]).await;
    let is_expected =
        matches!(error, ProviderError::Malformed { .. } | ProviderError::Connection { .. });
    assert!(is_expected, "{error:?}");
}

#[tokio::test]
async fn headers_without_end_are_cut() {
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    for n in 0..20_000 {
        write!(head, "x-{n}: {}\r\n", "y".repeat(60)).unwrap();
    }
    let error = failure_of(vec![Step::Send(head), Step::Close]).await;
    assert!(matches!(error, ProviderError::Connection { sent: Sent::Maybe, .. }), "{error:?}");
    assert!(error.to_string().len() < 500, "{error}");
}

#[tokio::test]
async fn answers_that_are_no_stream() {
    for (what, play) in [
        ("a page", answer("200 OK", "content-type: text/html\r\n", "<html>hello</html>")),
        ("nothing", answer("200 OK", "content-type: text/event-stream\r\n", "")),
        ("no content", answer("204 No Content", "", "")),
        ("one JSON text", answer("200 OK", JSON, "{\"object\": \"list\"}")),
        ("broken JSON", answer("200 OK", JSON, "{\"choices\": [")),
    ] {
        let error = failure_of(play).await;
        let is_expected = matches!(
            error,
            ProviderError::Malformed { .. } | ProviderError::Connection { sent: Sent::Maybe, .. }
        );
        assert!(is_expected, "{what}: {error:?}");
        assert!(!error.to_string().contains("html"), "{what}: {error}");
    }
}

#[tokio::test]
async fn events_that_are_none() {
    for (what, event, contains) in [
        ("not JSON", &b"data: {\"type\": }\n\n"[..], "malformed"),
        ("not an object", b"data: [1]\n\n", "malformed"),
        ("half of it", b"data: {\"ty", "broke off"),
        ("not UTF-8", b"data: {\"type\":\"\xff\xfe\"}\n\n", "not UTF-8"),
        ("a number where a text belongs", b"data: {\"type\":7,\"choices\":7}\n\n", "malformed"),
    ] {
        let error = failure_of(vec![head(), chunk(event), end()]).await;
        assert!(error.to_string().contains(contains), "{what}: {error}");
    }
}

#[tokio::test]
async fn cut_before_the_first_byte_and_inside_the_head() {
    for (what, play) in [
        ("before the first byte", vec![Step::Close]),
        ("inside the head", vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()), Step::Close]),
        ("after the head", vec![head(), Step::Close]),
        ("inside a chunk", vec![head(), Step::Send(b"ff\r\ndata".to_vec()), Step::Close]),
        ("another protocol", vec![Step::Send(b"220 mail ESMTP\r\n".to_vec()), Step::Close]),
    ] {
        let error = failure_of(play).await;
        assert!(
            matches!(error, ProviderError::Connection { sent: Sent::Maybe, .. }),
            "{what}: {error:?}"
        );
        assert!(error.is_transient(), "{what}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_tls_there() {
    // A port that was just free: nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = failure(&*provider(&format!("http://{address}/v1"))).await;
    assert!(matches!(error, ProviderError::Connection { sent: Sent::No, .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");

    // A server that speaks plain HTTP where TLS was configured.
    let double = Double::start(vec![]).await;
    let error = failure(&*provider(&format!("https://{}/v1", double.address))).await;
    match &error {
        ProviderError::Connection { sent: Sent::No, reason, .. } => {
            assert!(reason.contains(&double.address.to_string()), "{reason}");
        }
        // A machine without certificates cannot get that far, and must say so.
        ProviderError::Other(reason) => assert!(reason.contains("ca-certificates"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
