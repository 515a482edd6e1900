//! Why a request was not answered, in the envelope that its family's clients understand.
//!
//! The statuses follow what clients do with them: they repeat 429, 503 and other 5xx by themselves,
//! so a spent budget is 402, which none repeats, and `retry-after` goes with what passes.
//! Sources: platform.openai.com/docs/guides/error-codes, docs.anthropic.com/en/api/errors.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use llm::LlmError;
use serde_json::{Value, json};

use crate::family::Family;
use crate::limits;

/// Both families' official clients heed it: without it they repeat every 5xx.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "no token was sent; make one with `xpressclaw token mint AGENT` and send it as `authorization: Bearer TOKEN`"
    )]
    NoToken,
    #[error("the token is not known or was revoked; `xpressclaw token list` shows the good ones")]
    BadToken,
    #[error("the token is that of agent `{0}`, which is no longer configured")]
    NoAgent(String),
    #[error("{0}")]
    Invalid(String),
    #[error("the request has more than {} bytes", limits::BODY_MAX_BYTES)]
    TooLarge,
    #[error("the request was not sent to its end within {} s", limits::BODY_READ_MAX.as_secs())]
    TooSlow,
    #[error("there is no {0} here")]
    NoPath(String),
    #[error("{path} takes no {method}")]
    NoMethod { method: String, path: String },
    #[error("there is no model `{0}` for this token; `GET /v1/models` lists those that there are")]
    NoModel(String),
    #[error("{} requests are under way; try again in a moment", limits::OPEN_REQUESTS_MAX)]
    Busy,
    #[error("{message}")]
    Paused { message: String, resets_at: Option<u64> },
    #[error(transparent)]
    Model(#[from] LlmError),
    #[error("the endpoint failed; its log says why")]
    Broken,
}

/// What a kind of refusal is called, and its status.
struct Kind {
    status: StatusCode,
    openai: &'static str,
    /// OpenAI's `code`, which its clients look at for some.
    code: Option<&'static str>,
    anthropic: &'static str,
    retry_after: Option<Duration>,
}

impl Refusal {
    fn kind(&self) -> Kind {
        let kind = |status, openai, code, anthropic| Kind {
            status,
            openai,
            code,
            anthropic,
            retry_after: None,
        };
        let invalid = |code| {
            kind(StatusCode::BAD_REQUEST, "invalid_request_error", code, "invalid_request_error")
        };
        let later = |status, code, anthropic, after| Kind {
            retry_after: Some(after),
            ..kind(status, "rate_limit_error", Some(code), anthropic)
        };
        match self {
            Self::NoToken | Self::BadToken => kind(
                StatusCode::UNAUTHORIZED,
                "invalid_request_error",
                Some("invalid_api_key"),
                "authentication_error",
            ),
            Self::NoAgent(_) => {
                kind(StatusCode::FORBIDDEN, "invalid_request_error", None, "permission_error")
            }
            Self::Invalid(_) => invalid(None),
            Self::TooLarge => Kind {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                anthropic: "request_too_large",
                ..invalid(None)
            },
            Self::TooSlow => Kind { status: StatusCode::REQUEST_TIMEOUT, ..invalid(None) },
            Self::NoPath(_) => {
                kind(StatusCode::NOT_FOUND, "invalid_request_error", None, "not_found_error")
            }
            Self::NoMethod { .. } => {
                Kind { status: StatusCode::METHOD_NOT_ALLOWED, ..invalid(None) }
            }
            Self::NoModel(_) => Kind {
                status: StatusCode::NOT_FOUND,
                anthropic: "not_found_error",
                ..invalid(Some("model_not_found"))
            },
            Self::Busy => later(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "overloaded_error",
                limits::RETRY_AFTER,
            ),
            Self::Paused { resets_at, .. } => later(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_exceeded",
                "rate_limit_error",
                until(*resets_at),
            ),
            Self::Model(error) => match error {
                LlmError::BudgetExhausted { .. } => kind(
                    StatusCode::PAYMENT_REQUIRED,
                    "insufficient_quota",
                    Some("insufficient_quota"),
                    "billing_error",
                ),
                LlmError::RateLimited { after_ms } => later(
                    StatusCode::TOO_MANY_REQUESTS,
                    "rate_limit_exceeded",
                    "rate_limit_error",
                    Duration::from_millis((*after_ms).into()),
                ),
                LlmError::UnknownModel { .. } => Kind {
                    status: StatusCode::NOT_FOUND,
                    anthropic: "not_found_error",
                    ..invalid(Some("model_not_found"))
                },
                LlmError::UnknownPrice { .. } => invalid(Some("unknown_price")),
                LlmError::ContextExceeded { .. } => invalid(Some("context_length_exceeded")),
                LlmError::InvalidRequest(_) => invalid(None),
                // What passes: the client may come back. What does not pass: it need not.
                LlmError::ProviderFailed { retriable: true, .. } => Kind {
                    retry_after: Some(limits::RETRY_AFTER),
                    ..kind(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "server_error",
                        Some("provider_failed"),
                        "overloaded_error",
                    )
                },
                LlmError::ProviderFailed { .. } | LlmError::Cancelled | LlmError::Other(_) => kind(
                    StatusCode::BAD_GATEWAY,
                    "server_error",
                    Some("provider_failed"),
                    "api_error",
                ),
            },
            Self::Broken => {
                kind(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None, "api_error")
            }
        }
    }

    pub fn status(&self) -> StatusCode {
        self.kind().status
    }

    /// The envelope of a family, as the body of an answer or as the data of an event.
    pub fn envelope(&self, family: Family) -> Value {
        let kind = self.kind();
        let message = self.to_string();
        match family {
            Family::OpenAi => json!({"error": {
                "message": message, "type": kind.openai, "param": null, "code": kind.code,
            }}),
            Family::Anthropic => json!({
                "type": "error", "error": {"type": kind.anthropic, "message": message},
            }),
        }
    }

    pub fn response(&self, family: Family) -> Response {
        let kind = self.kind();
        let mut response = (kind.status, Json(self.envelope(family))).into_response();
        if kind.retry_after.is_none() {
            response.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if let Some(after) = kind.retry_after {
            // Whole seconds, and never the moment itself.
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
        }
        response
    }
}

/// From now to a moment in milliseconds since the Unix epoch.
fn until(at: Option<u64>) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    at.map_or(limits::PAUSE_MAX, |at| Duration::from_millis(at).saturating_sub(now))
}
