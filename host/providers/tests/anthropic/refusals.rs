//! Refusals in the envelope of the Messages API.

use domain::provider::{Provider as _, ProviderError};
use providers::anthropic::Anthropic;
use serde_json::json;
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, answer};
use crate::{KEY, call, config};

#[tokio::test]
async fn refusals_in_their_variety() {
    let envelope = |kind: &str, message: &str| {
        json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
    };
    for (status, kind, message, says) in [
        ("400 Bad Request", "invalid_request_error", "messages: too odd", "refused (status 400)"),
        (
            "400 Bad Request",
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "does not fit the context window of 200000",
        ),
        (
            "413 Too Large",
            "request_too_large",
            "Request exceeds the maximum size",
            "refused (status 413)",
        ),
        (
            "401 Unauthorized",
            "authentication_error",
            "invalid x-api-key",
            "the key set by `providers.p.api_key` was refused",
        ),
        ("403 Forbidden", "permission_error", "not for you", "was refused"),
        ("402 Payment Required", "billing_error", "credit balance", "no credit left"),
        ("404 Not Found", "not_found_error", "model: claude-x", "no model `claude-x`"),
        ("429 Too Many Requests", "rate_limit_error", "slow down", "too many requests"),
        ("500 Internal Server Error", "api_error", "oops", "oops"),
        ("529 Overloaded", "overloaded_error", "Overloaded", "status 529"),
        ("302 Found", "x", "x", "redirects elsewhere"),
    ] {
        let body = envelope(kind, message);
        let play = answer(
            status,
            "content-type: application/json\r\nretry-after: 7\r\nlocation: /\r\n",
            &body,
        );
        let mut double = Double::start(vec![play]).await;
        let provider = Anthropic::new(config(&double.base_url())).unwrap();
        let error = timeout(DEADLINE, provider.call(call())).await.unwrap().err().unwrap();
        let text = error.to_string();
        assert!(text.contains(says), "{status} {kind}: {text}");
        assert!(!text.contains(KEY), "{text}");
        if let ProviderError::Status { retry_after_ms, .. } = error {
            assert_eq!(retry_after_ms, Some(7_000), "{status}");
        }
        // The pipeline retries, the provider never does.
        assert_eq!(double.unseen(), 1);
    }
}
