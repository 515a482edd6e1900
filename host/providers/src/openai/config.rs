//! What must be configured about an endpoint. Plain values: the binary reads files and the
//! environment and fills this in.

use domain::chat::Effort;

use crate::Secret;
use crate::endpoint::{ModelFacts, Timeouts};

/// What every model that takes `reasoning_effort` knows.
pub const USUAL_EFFORTS: [Effort; 3] = [Effort::Low, Effort::Medium, Effort::High];

/// An endpoint, its key and its habits.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// For messages and model names: `openai` makes `openai/gpt-5-mini`.
    pub name: String,
    /// Everything before `/chat/completions`, mostly ending in `/v1`; a query (as Azure's
    /// `?api-version=…`) is kept. `http` or `https`, no user name and no password.
    pub base_url: String,
    /// Added to the query of the base URL, like Azure's `api-version`.
    pub query: Vec<(String, String)>,
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
    /// Models that take the other field, by their name at the provider.
    pub output_limits: Vec<(String, OutputLimit)>,
    /// `None`: [`ThinkingField::of_host`].
    pub thinking: Option<ThinkingField>,
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
            query: Vec::new(),
            key: None,
            headers: Vec::new(),
            proxy: None,
            output_limit: None,
            output_limits: Vec::new(),
            thinking: None,
            call_signatures: None,
            usage: UsageRequest::StreamOptions,
            timeouts: Timeouts::default(),
            models: Vec::new(),
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
    /// Sent as `reasoning_content` with every message of a turn in which tools were called, empty
    /// where there was none: DeepSeek refuses a history without
    /// (api-docs.deepseek.com, "Thinking mode"). Other turns go without, as its older models want.
    ReasoningContent,
}

impl ThinkingField {
    /// `reasoning_content` at the servers that refuse a history without it, nothing elsewhere.
    pub fn of_host(host: &str) -> Self {
        let wanted = ["deepseek.com", "moonshot.ai", "moonshot.cn"];
        let is_wanted = wanted.iter().any(|domain| is_inside(host, domain));
        if is_wanted { Self::ReasoningContent } else { Self::Dropped }
    }
}

/// How usage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageRequest {
    /// `stream_options.include_usage`.
    StreamOptions,
    /// Not at all, for servers that refuse `stream_options`.
    Unasked,
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
        for (host, field) in [
            ("api.deepseek.com", ThinkingField::ReasoningContent),
            ("api.moonshot.ai", ThinkingField::ReasoningContent),
            ("api.openai.com", ThinkingField::Dropped),
            ("notdeepseek.com", ThinkingField::Dropped),
        ] {
            assert_eq!(ThinkingField::of_host(host), field, "{host}");
        }
        let google = "generativelanguage.googleapis.com";
        assert_eq!(CallSignatures::of_host(google), CallSignatures::Google);
        assert_eq!(CallSignatures::of_host("notgoogleapis.com"), CallSignatures::Dropped);
    }
}
