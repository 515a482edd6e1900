//! Refusals, translated. Of the upstream's text only the message of its error object is used,
//! made safe by `redact`; what to do about it is said in our words.

use domain::provider::{ProviderError, Sent};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::redact;
use crate::Secret;

/// What a refusal is explained with.
#[derive(Debug, Clone)]
pub(crate) struct Refusals {
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// Tokens, as configured: told to the caller when the server does not name its own.
    pub window: u32,
    pub key_setting: String,
    pub credentials: Credentials,
    /// What to do about an address where nothing answers.
    pub base_url_hint: &'static str,
    /// Never shown.
    pub keys: Vec<Secret>,
}

/// What the request proved itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    Key,
    Headers,
    None,
}

/// What an error object says, in any of the forms in use.
#[derive(Debug, Default)]
struct Complaint {
    message: String,
    /// `code` and `type`, one after the other, in lower case.
    code: String,
    status: Option<u16>,
    window: Option<u32>,
}

impl Refusals {
    /// An answer with an error status. `body` is the beginning of what came with it.
    pub fn of_status(
        &self,
        status: StatusCode,
        retry_after_ms: Option<u32>,
        body: &[u8],
    ) -> ProviderError {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        self.classify(status.as_u16(), retry_after_ms, &complaint(&json))
    }

    /// An error object inside a stream or an answer that calls itself a success.
    pub fn in_stream(&self, error: &Value) -> ProviderError {
        let complaint = complaint(&serde_json::json!({ "error": error }));
        let has = |word: &str| complaint.code.contains(word);
        let status = match complaint.status {
            Some(status) => status,
            None if is_about_credit(&complaint) => 402,
            None if has("rate_limit") => 429,
            // Anthropic's own status for it.
            None if has("overloaded") => 529,
            None if has("authentication") => 401,
            None if has("permission") => 403,
            None if has("not_found") => 404,
            None if has("too_large") => 413,
            None if has("invalid_request") || is_about_context(&complaint) => 400,
            None => 500,
        };
        self.classify(status, None, &complaint)
    }

    /// An answer that is not what the protocol says.
    pub fn malformed(&self, reason: impl Into<String>) -> ProviderError {
        ProviderError::Malformed { provider: self.provider.clone(), reason: reason.into() }
    }

    /// A connection that broke.
    pub fn broken(&self, reason: impl Into<String>, sent: Sent) -> ProviderError {
        ProviderError::Connection { provider: self.provider.clone(), reason: reason.into(), sent }
    }

    fn classify(
        &self,
        status: u16,
        retry_after_ms: Option<u32>,
        complaint: &Complaint,
    ) -> ProviderError {
        let said = redact::shown(&complaint.message, &self.keys);
        let with_said =
            |ours: String| if said.is_empty() { ours } else { format!("{ours}: {said}") };
        let fail = |status: u16, reason: String| ProviderError::Status {
            provider: self.provider.clone(),
            status,
            reason,
            retry_after_ms,
        };
        let about_model = complaint.code.contains("model_not_found");
        match status {
            // OpenAI reports a spent account as 429, Anthropic as 400; waiting does not fill it.
            400 | 402 | 403 | 429 if status == 402 || is_about_credit(complaint) => {
                fail(402, with_said("the account at the provider has no credit left".to_owned()))
            }
            400 | 413 | 422 if is_about_context(complaint) => {
                ProviderError::ContextExceeded { window: complaint.window.unwrap_or(self.window) }
            }
            400 | 404 if about_model => self.unknown_model(),
            404 if complaint.message.to_lowercase().contains("model") => self.unknown_model(),
            404 => fail(404, format!("nothing answers there; {}", self.base_url_hint)),
            400 | 413 | 422 => ProviderError::InvalidRequest(with_said(format!(
                "{}: the request was refused (status {status})",
                self.provider
            ))),
            401 => fail(401, self.refused_key()),
            403 => fail(403, with_said(self.refused_key())),
            429 => fail(429, with_said("too many requests".to_owned())),
            300..=399 => fail(
                status,
                "it redirects elsewhere, where the key is not sent; \
                 set the provider's base URL to the final address"
                    .to_owned(),
            ),
            _ if said.is_empty() => {
                let phrase = match status {
                    529 => Some("overloaded"),
                    _ => StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()),
                };
                fail(status, phrase.unwrap_or("an unknown status").to_lowercase())
            }
            _ => fail(status, said),
        }
    }

    fn unknown_model(&self) -> ProviderError {
        ProviderError::UnknownModel { provider: self.provider.clone(), model: self.model.clone() }
    }

    fn refused_key(&self) -> String {
        let setting = &self.key_setting;
        match self.credentials {
            Credentials::Key => format!("the key set by `{setting}` was refused"),
            Credentials::Headers => format!(
                "the configured headers were refused; check `providers.{}.headers`, or set `{setting}`",
                self.provider
            ),
            Credentials::None => format!("a key is needed; set it by `{setting}`"),
        }
    }
}

/// Reads `{"error": {…}}`, `{"error": "…"}`, `{"message": …}`, `{"detail": …}` and lists of them.
fn complaint(body: &Value) -> Complaint {
    let body = body.get(0).unwrap_or(body);
    let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
    let text = |field: &str| error.get(field).and_then(Value::as_str);
    let message = error.as_str().or_else(|| text("message")).or_else(|| text("detail"));
    let code = error.get("code");
    let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
    Complaint {
        code: [code.and_then(Value::as_str), text("type")]
            .into_iter()
            .flatten()
            .map(str::to_lowercase)
            .collect::<Vec<_>>()
            .join(" "),
        status: code
            .and_then(number)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|status| (400..=599).contains(status)),
        window: error.get("n_ctx").and_then(number).or_else(|| message.and_then(window_in)),
        message: message.unwrap_or_default().to_owned(),
    }
}

/// The texts by which servers without an error code say that the history is too long.
fn is_about_context(complaint: &Complaint) -> bool {
    const CODES: [&str; 2] = ["context_length_exceeded", "exceed_context_size"];
    const TEXTS: [&str; 7] = [
        "exceed context limit",
        "context length",
        "context window",
        "context size",
        "prompt is too long",
        "input is too long",
        "maximum prompt length",
    ];
    let message = complaint.message.to_lowercase();
    CODES.iter().any(|code| complaint.code.contains(code))
        || TEXTS.iter().any(|text| message.contains(text))
}

/// The texts by which an account says that it is spent.
fn is_about_credit(complaint: &Complaint) -> bool {
    const CODES: [&str; 2] = ["insufficient_quota", "billing_error"];
    CODES.iter().any(|code| complaint.code.contains(code))
        || complaint.message.to_lowercase().contains("credit balance is too low")
}

/// The number in "maximum context length is 8192 tokens" (OpenAI and most servers), in "prompt is
/// too long: 208310 tokens > 200000 maximum" and "exceed context limit: 1 + 2 > 200000" (Anthropic).
fn window_in(message: &str) -> Option<u32> {
    let compared = |text: &str| message.split_once(text)?.1.split_once("> ").map(|(_, n)| n);
    let openai = message.split_once("context length is ").map(|(_, rest)| rest);
    let rest = openai
        .or_else(|| compared("prompt is too long"))
        .or_else(|| compared("exceed context limit"))?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// How long the server asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` in
/// seconds or as a date (RFC 9110, section 10.2.3). `None` without a readable one.
pub(crate) fn retry_after_ms(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = |n: f64| (n.is_finite() && n >= 0.0).then(|| n.ceil() as u32);
    if let Some(exact) = text("retry-after-ms").and_then(|text| text.parse().ok()) {
        return milliseconds(exact);
    }
    let after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse::<f64>() {
        return milliseconds(seconds * 1000.0);
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(after).ok()?;
    let wait = date.as_millisecond().saturating_sub(now.as_millisecond()).max(0);
    Some(u32::try_from(wait).unwrap_or(u32::MAX))
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
