//! What reaches the server: address, headers, body.

use futures::StreamExt as _;
use providers::Secret;
use providers::anthropic::Anthropic;
use serde_json::json;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, messages};
use crate::{KEY, call, config};

#[tokio::test]
async fn the_request_on_the_wire() {
    let stop = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}});
    let play = || messages(&[stop.clone(), json!({"type": "message_stop"})]);
    let mut double = Double::start(vec![play(), play()]).await;
    let plain = config(&double.base_url());
    let mut other = config(&format!("http://{}/proxy/{{model}}/v1/messages", double.address));
    other.query.push(("beta".into(), "true".into()));
    for (name, value) in [("Anthropic-Version", "2099-01-01"), ("anthropic-beta", "a-1,b-2")] {
        other.headers.push((name.into(), Secret::new(value).unwrap()));
    }
    for (config, line, headers) in [
        (plain, "post /v1/messages http/1.1\r\n", vec!["anthropic-version: 2023-06-01"]),
        (
            other,
            "post /proxy/claude-x/v1/messages?beta=true http/1.1\r\n",
            vec!["anthropic-version: 2099-01-01", "anthropic-beta: a-1,b-2"],
        ),
    ] {
        let provider = Anthropic::new(config).unwrap();
        assert!(!format!("{provider:?}").contains("0123456789"), "{provider:?}");
        let stream = timeout(DEADLINE, domain::provider::Provider::call(&provider, call()))
            .await
            .unwrap()
            .unwrap();
        timeout(DEADLINE, stream.count()).await.unwrap();
        let seen = double.next_request().await;
        assert!(seen.head.starts_with(line), "{}", seen.head);
        let key = format!("x-api-key: {KEY}");
        for header in headers.iter().copied().chain([
            key.as_str(),
            "content-type: application/json",
            "accept: text/event-stream",
        ]) {
            let count = seen.head.matches(&format!("\r\n{header}\r\n")).count();
            assert_eq!(count, 1, "{header}: {}", seen.head);
        }
        assert_eq!(seen.head.matches("anthropic-version").count(), 1, "{}", seen.head);
        assert!(!seen.head.contains("\r\nauthorization:"), "{}", seen.head);
        let expected = json!({
            "model": "claude-x",
            "max_tokens": 100,
            "stream": true,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}},
            ]}],
        });
        assert_eq!(seen.body, expected);
    }
}
