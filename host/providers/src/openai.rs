//! Any server that speaks OpenAI's chat completions over HTTP, streamed.
//!
//! One value per configured endpoint. The modules follow a call: [`config`] is checked once,
//! `request` and `content` write the body, `crate::endpoint` sends it and reads refusals, `chunk` is
//! what an event says, `calls` and `answer` turn events into deltas.

mod answer;
mod calls;
mod chunk;
pub mod config;
mod content;
mod request;

use async_trait::async_trait;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};

pub use config::{
    CallSignatures, OpenAiConfig, OutputLimit, ThinkingField, USUAL_EFFORTS, UsageRequest,
};

use crate::endpoint::{ConfigError, Endpoint, KeyHeader, ModelFacts, Settings};
use crate::tokens;

/// Where a call goes below the base URL.
const PATH: &str = "/chat/completions";

/// A configured OpenAI-compatible endpoint. Cheap to call from many tasks: connections are pooled.
#[derive(Debug)]
pub struct OpenAi {
    endpoint: Endpoint,
    models: Vec<ModelFacts>,
    format: request::Format,
    /// Of models that differ from their endpoint.
    output_limits: Vec<(String, OutputLimit)>,
}

impl OpenAi {
    /// Checks the configuration. Touches neither the network nor, before the first call, the
    /// system's certificates.
    pub fn new(config: OpenAiConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::new(&Settings {
            name: &config.name,
            base_url: &config.base_url,
            base_url_hint: "check the provider's base URL, which mostly ends in `/v1`",
            path: PATH,
            query: &config.query,
            key: config.key.as_ref(),
            key_header: KeyHeader::Bearer,
            key_setting: &config.key_setting,
            fixed_headers: &[],
            headers: &config.headers,
            proxy: config.proxy.as_ref(),
            timeouts: config.timeouts,
        })?;
        let format = request::Format {
            output_limit: config
                .output_limit
                .unwrap_or_else(|| OutputLimit::of_host(endpoint.host())),
            thinking: config.thinking.unwrap_or_else(|| ThinkingField::of_host(endpoint.host())),
            call_signatures: config
                .call_signatures
                .unwrap_or_else(|| CallSignatures::of_host(endpoint.host())),
            usage: config.usage,
        };
        let output_limits = config.output_limits;
        Ok(Self { endpoint, models: config.models, format, output_limits })
    }

    fn format(&self, model: &str) -> request::Format {
        let own = self.output_limits.iter().find(|(id, _)| id == model);
        let output_limit = own.map_or(self.format.output_limit, |(_, limit)| *limit);
        request::Format { output_limit, ..self.format }
    }

    fn facts(&self, model: &str) -> ModelFacts {
        let known = self.models.iter().find(|facts| facts.id == model);
        let facts = known.cloned().unwrap_or_else(|| ModelFacts::assumed(model));
        facts.priced(self.endpoint.host())
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    /// The configured facts, or [`ModelFacts::assumed`]: only the server knows its models, so no
    /// name is refused before it was asked for.
    fn model(&self, model: &str) -> Option<ModelInfo> {
        if model.is_empty() {
            return None;
        }
        Some(self.facts(model).info(self.name()))
    }

    /// Sends the call and resolves with the answer's headers. Dropping the future or the stream
    /// closes the connection, which is what cancels the call at the provider.
    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let facts = self.facts(&call.model);
        let body = request::body(&call, &facts, &self.format(&call.model))?;
        let response = self.endpoint.post(&body, &facts).await?;
        let context = answer::Context::new(&call, self.endpoint.refusals(&facts));
        Ok(answer::deltas(response, context, self.endpoint.timeouts()))
    }

    fn count_tokens(&self, text: &str) -> u64 {
        tokens::count(text)
    }
}
