//! What must be configured about an endpoint. Plain values: the binary reads files and the
//! environment and fills this in.

use std::time::Duration;

use domain::Price;
use domain::chat::Effort;

use crate::Secret;

/// Context of a model that nothing is configured about. Tokens; the size that current hosted
/// models have at least. Too large a guess is corrected by the server's refusal.
pub const ASSUMED_CONTEXT_WINDOW: u32 = 131_072;
/// Longest answer of a model that nothing is configured about. Tokens; enough to write a large
/// file, little enough that a reservation does not swallow a small budget.
pub const ASSUMED_MAX_OUTPUT_TOKENS: u32 = 16_384;

/// What every model that takes `reasoning_effort` knows.
pub const USUAL_EFFORTS: [Effort; 3] = [Effort::Low, Effort::Medium, Effort::High];

/// Establishing a connection, TLS included: far above the slowest link, well below a user's
/// patience.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence on an open connection. Reasoning models and long prefills are quiet for minutes.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Only keep-alive comments: a server that is alive but says nothing is given up later than a
/// silent one.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(900);

/// An endpoint, its key and its habits.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// For messages and model names: `openai` makes `openai/gpt-5-mini`.
    pub name: String,
    /// Everything before `/chat/completions`, mostly ending in `/v1`; a query (as Azure's
    /// `?api-version=…`) is kept. `http` or `https`, no user name and no password.
    pub base_url: String,
    /// Sent as `authorization: Bearer …`.
    pub key: Option<Secret>,
    /// How messages name the place where the key is set, e.g. `env:OPENAI_API_KEY` or
    /// `providers.openai.key`. Guests may see it: never a path of the host.
    pub key_setting: String,
    /// Further headers (`api-key` for Azure); their values are treated as keys.
    pub headers: Vec<(String, Secret)>,
    /// `http://host:port` of a proxy, perhaps with a password. Nothing is read from the
    /// environment.
    pub proxy: Option<Secret>,
    /// `None`: [`OutputLimit::of_host`].
    pub output_limit: Option<OutputLimit>,
    pub thinking: ThinkingField,
    /// `None`: [`CallSignatures::of_host`].
    pub call_signatures: Option<CallSignatures>,
    pub usage: UsageRequest,
    pub timeouts: Timeouts,
    /// What is known about models; others get [`ModelFacts::assumed`].
    pub models: Vec<ModelFacts>,
}

impl OpenAiConfig {
    /// An endpoint with the defaults of everything else.
    pub fn new(name: impl Into<String>, base_url: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            key_setting: format!("providers.{name}.key"),
            name,
            base_url: base_url.into(),
            key: None,
            headers: Vec::new(),
            proxy: None,
            output_limit: None,
            thinking: ThinkingField::Dropped,
            call_signatures: None,
            usage: UsageRequest::StreamOptions,
            timeouts: Timeouts::default(),
            models: Vec::new(),
        }
    }
}

/// What is known about a model at this endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// The name at the provider.
    pub id: String,
    /// Tokens.
    pub context_window: u32,
    /// Tokens.
    pub max_output_tokens: u32,
    pub images: bool,
    /// The levels of `reasoning_effort` that it takes, mostly [`USUAL_EFFORTS`]; empty for a model
    /// that refuses requests which carry the field.
    pub efforts: Vec<Effort>,
    /// `None`: unknown, so budgets refuse the model until it is configured.
    pub price: Option<Price>,
}

impl ModelFacts {
    /// What is assumed about a model that is not configured. Images are let through (a model that
    /// cannot see says so), effort is not (most models refuse it), and the price is unknown.
    pub fn assumed(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            context_window: ASSUMED_CONTEXT_WINDOW,
            max_output_tokens: ASSUMED_MAX_OUTPUT_TOKENS,
            images: true,
            efforts: Vec::new(),
            price: None,
        }
    }
}

/// The field that carries the output limit. A server that does not know the field ignores it, and
/// budgets depend on the limit, so the choice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimit {
    /// `max_tokens`: what nearly every compatible server knows.
    MaxTokens,
    /// `max_completion_tokens`: OpenAI's own; its reasoning models refuse the older field.
    MaxCompletionTokens,
}

impl OutputLimit {
    /// The field for a server at `host`: OpenAI's newer one at OpenAI and Azure, `max_tokens`
    /// elsewhere.
    pub fn of_host(host: &str) -> Self {
        if is_inside(host, "openai.com") || is_inside(host, "azure.com") {
            Self::MaxCompletionTokens
        } else {
            Self::MaxTokens
        }
    }
}

fn is_inside(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What becomes of the signatures on the history's tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallSignatures {
    /// Not sent: servers that know none refuse the field.
    Dropped,
    /// Sent as `extra_content.google.thought_signature`, without which Google's thinking models
    /// refuse a history.
    Google,
}

impl CallSignatures {
    /// Google's field at Google, none elsewhere.
    pub fn of_host(host: &str) -> Self {
        if is_inside(host, "googleapis.com") { Self::Google } else { Self::Dropped }
    }
}

/// What becomes of the history's thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingField {
    /// Not sent: OpenAI has no field for it.
    Dropped,
    /// Sent as `reasoning_content`, which some servers need to go on after a tool call.
    ReasoningContent,
}

/// How usage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageRequest {
    /// `stream_options.include_usage`.
    StreamOptions,
    /// Not at all, for servers that refuse `stream_options`.
    Unasked,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// See [`CONNECT_TIMEOUT`].
    pub connect: Duration,
    /// Between two reads, and before the headers. See [`IDLE_TIMEOUT`].
    pub idle: Duration,
    /// Between two events. See [`STALL_TIMEOUT`].
    pub stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: CONNECT_TIMEOUT, idle: IDLE_TIMEOUT, stall: STALL_TIMEOUT }
    }
}

/// What is wrong with an endpoint's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("`{url}` is no base URL: {reason}; write one like `https://api.openai.com/v1`")]
    BaseUrl { url: String, reason: String },
    #[error(
        "the base URL holds a user name or a password; give the key as `{key_setting}` instead"
    )]
    Credentials { key_setting: String },
    #[error("`{0}` is no name of an HTTP header")]
    HeaderName(String),
    #[error("the header `{0}` is set by the host; remove it from `headers`")]
    HeaderOfTheHost(String),
    #[error("the proxy is no URL; write one like `http://proxy.example:3128`")]
    Proxy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_host() {
        use OutputLimit::{MaxCompletionTokens, MaxTokens};
        for (host, field) in [
            ("api.openai.com", MaxCompletionTokens),
            ("eu.api.openai.com", MaxCompletionTokens),
            ("me.openai.azure.com", MaxCompletionTokens),
            ("notopenai.com", MaxTokens),
            ("openrouter.ai", MaxTokens),
            ("127.0.0.1", MaxTokens),
        ] {
            assert_eq!(OutputLimit::of_host(host), field, "{host}");
        }
        let google = "generativelanguage.googleapis.com";
        assert_eq!(CallSignatures::of_host(google), CallSignatures::Google);
        assert_eq!(CallSignatures::of_host("notgoogleapis.com"), CallSignatures::Dropped);
    }
}
