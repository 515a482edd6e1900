//! Anthropic's Messages API, natively, streamed.
//!
//! The wire format is that of the API reference, version 2023-06-01 (platform.claude.com, "Messages",
//! "Streaming messages", "Adaptive thinking", "Extended thinking", "Prompt caching"). The modules
//! follow a call: [`config`] is checked once, `request` and `content` write the body, `event` is what
//! a server-sent event says, `answer` turns events into deltas.
//!
//! Signatures of thinking are opaque to guests; they are marked here with what they belong to
//! (`mark`), so that a history that comes back holds none of another provider.

mod answer;
pub mod config;
mod content;
mod event;
mod mark;
mod request;

use async_trait::async_trait;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};

pub use config::{AnthropicConfig, ClaudeModel, EFFORTS, ThinkingStyle};

use crate::endpoint::{ConfigError, Endpoint, KeyHeader, Settings};
use crate::tokens;

/// Where a call goes below the base URL.
const PATH: &str = "/messages";
const FIXED_HEADERS: [(&str, &str); 1] = [("anthropic-version", "2023-06-01")];

/// A configured endpoint. Cheap to call from many tasks: connections are pooled.
#[derive(Debug)]
pub struct Anthropic {
    endpoint: Endpoint,
    models: Vec<ClaudeModel>,
}

impl Anthropic {
    /// Checks the configuration. Touches neither the network nor, before the first call, the
    /// system's certificates.
    pub fn new(config: AnthropicConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::new(&Settings {
            name: &config.name,
            base_url: &config.base_url,
            base_url_hint: "check the provider's base URL, which ends in `/v1`",
            path: PATH,
            query: &config.query,
            key: config.key.as_ref(),
            key_header: KeyHeader::ApiKey,
            key_setting: &config.key_setting,
            fixed_headers: &FIXED_HEADERS,
            headers: &config.headers,
            proxy: config.proxy.as_ref(),
            timeouts: config.timeouts,
        })?;
        Ok(Self { endpoint, models: config.models })
    }

    fn claude(&self, model: &str) -> ClaudeModel {
        let known = self.models.iter().find(|known| known.facts.id == model);
        let claude = known.cloned().unwrap_or_else(|| ClaudeModel::assumed(model));
        ClaudeModel { facts: claude.facts.priced(self.endpoint.host()), ..claude }
    }
}

#[async_trait]
impl Provider for Anthropic {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    /// The configured facts, or [`ClaudeModel::assumed`]: only the server knows its models.
    fn model(&self, model: &str) -> Option<ModelInfo> {
        (!model.is_empty()).then(|| self.claude(model).facts.info(self.name()))
    }

    fn takes(&self, field: &str) -> bool {
        request::EXTRA_FIELDS.contains(&field)
    }

    /// Sends the call and resolves with the answer's headers. Dropping the future or the stream
    /// closes the connection, which is what cancels the call at the provider.
    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let claude = self.claude(&call.model);
        let body = request::body(&call, &claude)?;
        let response = self.endpoint.post(&body, &claude.facts).await?;
        let refusals = self.endpoint.refusals(&claude.facts);
        Ok(answer::deltas(response, &call, refusals, self.endpoint.timeouts()))
    }

    fn count_tokens(&self, text: &str) -> u64 {
        tokens::count(text)
    }
}
