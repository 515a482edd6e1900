//! What reaches an OpenAI-compatible server, and how its refusals come back.

use domain::Price;
use domain::provider::{Provider as _, ProviderError, Sent};
use futures::StreamExt as _;
use providers::Secret;
use providers::endpoint::{ConfigError, ModelFacts};
use providers::openai::{OpenAi, OpenAiConfig, USUAL_EFFORTS};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, Step, answer, events};
use crate::{KEY, call, config};

async fn refusal(config: OpenAiConfig) -> ProviderError {
    let provider = OpenAi::new(config).unwrap();
    let called = timeout(DEADLINE, provider.call(call())).await.unwrap();
    called.err().unwrap()
}

async fn refusal_of(play: Vec<Step>) -> ProviderError {
    let mut double = Double::start(vec![play]).await;
    let error = refusal(config(double.base_url())).await;
    // The pipeline retries, the provider never does.
    assert_eq!(double.unseen(), 1);
    error
}

#[tokio::test]
async fn the_request_on_the_wire() {
    let ok =
        || events(&[json!({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]})]);
    let mut double = Double::start(vec![ok()]).await;
    let mut config = config(format!("http://{}/openai/v1/?api-version=7#x", double.address));
    config.headers.push(("X-Title".into(), Secret::new("xpressclaw").unwrap()));
    let debug = format!("{config:?}");
    let provider = OpenAi::new(config).unwrap();
    assert!(!format!("{debug}{provider:?}").contains("0123456789"), "{debug} {provider:?}");

    let stream = timeout(DEADLINE, provider.call(call())).await.unwrap().unwrap();
    let count = timeout(DEADLINE, stream.count()).await.unwrap();
    assert_eq!(count, 2);
    let seen = double.next_request().await;
    assert!(
        seen.head.starts_with("post /openai/v1/chat/completions?api-version=7 http/1.1\r\n"),
        "{}",
        seen.head
    );
    for header in [
        &format!("authorization: bearer {KEY}"),
        "content-type: application/json",
        "accept: text/event-stream",
        "x-title: xpressclaw",
    ] {
        assert!(seen.head.contains(&format!("\r\n{header}\r\n")), "{header}: {}", seen.head);
    }
    let expected = json!({
        "model": "gpt-x",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 100,
    });
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn refusals() {
    let json = "content-type: application/json\r\n";
    let error = |message: &str| json!({"error": {"message": message}}).to_string();

    let slow =
        refusal_of(answer("429 Too Many Requests", "retry-after: 2\r\n", &error("slow"))).await;
    let expected = ProviderError::Status {
        provider: "openai".into(),
        status: 429,
        reason: "too many requests: slow".into(),
        retry_after_ms: Some(2_000),
    };
    assert!(slow.is_transient());
    assert_eq!(slow, expected);

    let body = error(&format!("bad key {KEY}"));
    let key = refusal_of(answer("401 Unauthorized", json, &body)).await.to_string();
    assert_eq!(key, "openai: status 401: the key set by `providers.openai.key` was refused");

    let body = json!({"error": {"message": "no such model"}}).to_string();
    let model = refusal_of(answer("404 Not Found", json, &body)).await;
    assert_eq!(model.to_string(), "openai: no model `gpt-x`");

    let body = error("maximum context length is 4096 tokens");
    let context = refusal_of(answer("400 Bad Request", json, &body)).await;
    assert_eq!(context, ProviderError::ContextExceeded { window: 4_096 });

    let body = error(&format!("tools: wrong {KEY} {}", "x".repeat(10_000)));
    let invalid = refusal_of(answer("400 Bad Request", json, &body)).await.to_string();
    assert!(invalid.contains("tools: wrong [removed] xxx") && invalid.len() < 500, "{invalid}");

    let broken = refusal_of(answer("500 Internal Server Error", "", &"y".repeat(1 << 20))).await;
    assert_eq!(broken.to_string(), "openai: status 500: internal server error");
    assert!(broken.is_transient());

    let moved = answer("302 Found", "location: http://127.0.0.1:1/\r\n", "");
    assert!(refusal_of(moved).await.to_string().contains("final address"));

    // Refusals in the dress of a success, and a server that cannot stream.
    let dressed = refusal_of(answer("200 OK", json, &error("context length is 5"))).await;
    assert_eq!(dressed, ProviderError::ContextExceeded { window: 5 });
    let whole = refusal_of(answer("200 OK", json, "{\"choices\": []}")).await;
    assert!(matches!(whole, ProviderError::Malformed { .. }), "{whole:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_does_not_hide_its_status() {
    let head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 10\r\n\r\n{".to_vec();
    let error = refusal_of(vec![Step::Send(head), Step::Close]).await;
    assert_eq!(error.to_string(), "openai: status 503: service unavailable");
}

#[tokio::test]
async fn connections_that_fail() {
    let cut = refusal_of(vec![Step::Close]).await;
    assert!(matches!(cut, ProviderError::Connection { sent: Sent::Maybe, .. }), "{cut:?}");
    let not_http = refusal_of(vec![Step::Send(b"SSH-2.0-x\r\n".to_vec()), Step::Close]).await;
    assert!(matches!(not_http, ProviderError::Connection { .. }), "{not_http:?}");

    // A port that was just free: nobody listens.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = refusal(config(format!("http://{address}/v1"))).await;
    let ProviderError::Connection { reason, sent: Sent::No, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains(&address.to_string()), "{reason}");
    assert!(!reason.contains("/v1"), "{reason}");
}

/// The crypto provider is found without a process-wide default, and HTTP/2 is offered.
#[tokio::test]
async fn https_speaks_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    });
    let error = refusal(config(format!("https://{address}/v1"))).await;
    match error {
        ProviderError::Connection { sent: Sent::No, .. } => {
            let hello = timeout(DEADLINE, hello).await.unwrap().unwrap();
            // A handshake record with a client hello that offers both protocols.
            assert_eq!((hello[0], hello[5]), (22, 1));
            for protocol in [&b"\x02h2"[..], b"\x08http/1.1"] {
                assert!(hello.windows(protocol.len()).any(|w| w == protocol), "{protocol:?}");
            }
        }
        // A machine without certificates cannot get that far, and must say so.
        ProviderError::Other(reason) => assert!(reason.contains("ca-certificates"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn configurations() {
    let of = |base_url: &str| OpenAi::new(config(base_url.to_owned())).map(|_| ());
    for good in ["https://api.openai.com/v1", "http://[::1]:1/", "http://h/v1/chat/completions"] {
        assert_eq!(of(good), Ok(()), "{good}");
    }
    for bad in ["", "api.openai.com/v1", "ftp://h/v1", "http://", "unix:/tmp/x"] {
        assert!(matches!(of(bad), Err(ConfigError::BaseUrl { .. })), "{bad}");
    }
    let password = of("https://me:hunter2@h/v1").unwrap_err();
    assert!(matches!(password, ConfigError::Credentials { .. }));
    assert!(!password.to_string().contains("hunter2"));

    let with_header = |name: &str| {
        let mut config = config("http://h/v1".into());
        config.headers.push((name.into(), Secret::new("v").unwrap()));
        OpenAi::new(config).map(|_| ())
    };
    assert_eq!(with_header("api-key"), Ok(()));
    assert_eq!(with_header("a b"), Err(ConfigError::HeaderName("a b".into())));
    assert_eq!(with_header("Host"), Err(ConfigError::HeaderOfTheHost("Host".into())));
    let proxy = Some(Secret::new("http://").unwrap());
    let refused = OpenAi::new(OpenAiConfig { proxy, ..config("http://h/v1".into()) });
    assert_eq!(refused.map(|_| ()), Err(ConfigError::Proxy));
}

#[test]
fn facts_are_configured_or_assumed() {
    let mut config = config("http://h/v1".into());
    let price = Price { input: 1, cached: 1, cache_write: 1, output: 2 };
    config.models.push(ModelFacts {
        context_window: 400_000,
        efforts: USUAL_EFFORTS.to_vec(),
        price: Some(price),
        ..ModelFacts::assumed("known")
    });
    let provider = OpenAi::new(config).unwrap();
    let known = provider.model("known").unwrap();
    assert_eq!((known.name.as_str(), known.context_window), ("openai/known", 400_000));
    assert_eq!((known.reasoning, known.price), (true, Some(price)));
    let other = provider.model("other").unwrap();
    assert_eq!((other.context_window, other.max_output_tokens), (131_072, 16_384));
    assert_eq!((other.images, other.reasoning, other.price), (true, false, None));
    assert_eq!(provider.model(""), None);
}
