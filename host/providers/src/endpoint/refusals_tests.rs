use super::*;
use serde_json::json;

fn refusals() -> Refusals {
    Refusals {
        provider: "openai".into(),
        model: "gpt-x".into(),
        window: 128_000,
        key_setting: "env:OPENAI_API_KEY".into(),
        credentials: Credentials::Key,
        base_url_hint: "check the base URL",
        keys: vec![Secret::new("sk-secret-key-0001").unwrap()],
    }
}

fn refused(status: u16, body: &str) -> ProviderError {
    refusals().of_status(StatusCode::from_u16(status).unwrap(), Some(5), body.as_bytes())
}

#[test]
fn statuses_in_their_variety() {
    let unknown = ProviderError::UnknownModel { provider: "openai".into(), model: "gpt-x".into() };
    for (status, body, expected) in [
        (
            404,
            r#"{"error":{"message":"The model `gpt-x` does not exist","code":"model_not_found"}}"#,
            unknown.clone(),
        ),
        (404, r#"{"error":"model 'gpt-x' not found"}"#, unknown.clone()),
        (400, r#"{"error":{"message":"invalid","code":"model_not_found"}}"#, unknown),
        (
            400,
            r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#,
            ProviderError::ContextExceeded { window: 128_000 },
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 8192 tokens. However","code":400}"#,
            ProviderError::ContextExceeded { window: 8_192 },
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_ctx":4096}}"#,
            ProviderError::ContextExceeded { window: 4_096 },
        ),
        (
            413,
            r#"{"detail":"prompt is too long"}"#,
            ProviderError::ContextExceeded { window: 128_000 },
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"},"request_id":"r"}"#,
            ProviderError::ContextExceeded { window: 200_000 },
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease them"}}"#,
            ProviderError::ContextExceeded { window: 200_000 },
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: gpt-x"}}"#,
            ProviderError::UnknownModel { provider: "openai".into(), model: "gpt-x".into() },
        ),
    ] {
        assert_eq!(refused(status, body), expected, "{status} {body}");
    }

    for (status, body, shown_status, contains) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-secret-key-0001"}}"#,
            401,
            "the key set by `env:OPENAI_API_KEY` was refused",
        ),
        (
            403,
            r#"{"error":{"message":"Country not supported"}}"#,
            403,
            "was refused: Country not supported",
        ),
        (404, "<html>not here</html>", 404, "check the base URL"),
        (402, "", 402, "no credit"),
        (
            429,
            r#"{"error":{"message":"quota","code":"insufficient_quota"}}"#,
            402,
            "no credit left: quota",
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
            402,
            "no credit left: Your credit",
        ),
        (529, "", 529, "overloaded"),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            529,
            "Overloaded",
        ),
        (429, r#"[{"error":{"message":"slow down"}}]"#, 429, "too many requests: slow down"),
        (429, "", 429, "too many requests"),
        (307, "", 307, "final address"),
        (500, "<html>secret stack trace</html>", 500, "internal server error"),
        (503, r#"{"error":{"message":"overloaded"}}"#, 503, "overloaded"),
        (418, "", 418, "teapot"),
        (599, "", 599, "an unknown status"),
    ] {
        let ProviderError::Status { status: said, reason, retry_after_ms, .. } =
            refused(status, body)
        else {
            panic!("{status} {body}");
        };
        assert_eq!((said, retry_after_ms), (shown_status, Some(5)), "{status} {body}");
        assert!(reason.contains(contains), "{status} {body}: {reason}");
        assert!(!reason.contains("secret-key") && !reason.contains("html"), "{reason}");
    }

    let invalid = refused(400, r#"{"error":{"message":"bad `tools`"}}"#);
    assert_eq!(
        invalid,
        ProviderError::InvalidRequest(
            "openai: the request was refused (status 400): bad `tools`".into()
        )
    );
}

#[test]
fn a_missing_key_is_asked_for() {
    for (credentials, contains) in
        [(Credentials::None, "a key is needed"), (Credentials::Headers, "headers were refused")]
    {
        let refusals = Refusals { credentials, ..refusals() };
        let error = refusals.of_status(StatusCode::UNAUTHORIZED, None, b"");
        assert!(error.to_string().contains(contains), "{error}");
    }
}

#[test]
fn errors_inside_a_stream() {
    for (error, status) in [
        (json!({"message": "m", "code": 502}), Some(502)),
        (json!({"message": "m", "type": "rate_limit_error"}), Some(429)),
        (json!({"message": "m", "type": "overloaded_error"}), Some(529)),
        (json!({"message": "m", "type": "authentication_error"}), Some(401)),
        (json!({"message": "m", "type": "permission_error"}), Some(403)),
        (json!({"message": "m", "type": "billing_error"}), Some(402)),
        (json!({"message": "m", "type": "not_found_error"}), Some(404)),
        (json!({"message": "m", "type": "api_error"}), Some(500)),
        (json!({"message": "m", "code": "insufficient_quota"}), Some(402)),
        (json!("engine died"), Some(500)),
        (json!({"message": "context length is 5"}), None),
    ] {
        let status_of = |error| match error {
            ProviderError::Status { status, .. } => Some(status),
            ProviderError::ContextExceeded { window: 5 } => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(status_of(refusals().in_stream(&error)), status, "{error}");
    }
}

#[test]
fn waits_are_read() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    for (name, value, expected) in [
        ("retry-after", "2", Some(2_000)),
        ("retry-after", "0.25", Some(250)),
        ("retry-after", "Fri, 02 Jan 2026 03:04:15 GMT", Some(10_000)),
        ("retry-after", "Fri, 02 Jan 2026 03:04:00 GMT", Some(0)),
        ("retry-after", "soon", None),
        ("retry-after", "-1", None),
        ("retry-after", "NaN", None),
        ("retry-after", "1e300", Some(u32::MAX)),
        ("retry-after-ms", "1500", Some(1_500)),
        ("x-other", "1", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(retry_after_ms(&headers, now), expected, "{name}: {value}");
    }
    let mut both = HeaderMap::new();
    both.insert("retry-after", "9".parse().unwrap());
    both.insert("retry-after-ms", "8500".parse().unwrap());
    assert_eq!(retry_after_ms(&both, now), Some(8_500));
}
