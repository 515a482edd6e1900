//! Any server that speaks OpenAI's chat completions over HTTP, streamed.
//!
//! One value per configured endpoint. The modules follow a call: [`config`] is checked once,
//! `request` and `content` write the body, `http` sends it, `error` reads refusals, `chunk` is
//! what an event says, `calls` and `answer` turn events into deltas.
//!
//! Never here: retries (the pipeline's), a redirect followed with the key in hand, a whole answer
//! in memory, an upstream body in a message.

mod answer;
mod calls;
mod chunk;
pub mod config;
mod content;
mod error;
mod http;
mod redact;
mod request;

use async_trait::async_trait;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};

pub use config::{
    CallSignatures, ConfigError, ModelFacts, OpenAiConfig, OutputLimit, ThinkingField, Timeouts,
    USUAL_EFFORTS, UsageRequest,
};

/// A configured OpenAI-compatible endpoint. Cheap to call from many tasks: connections are pooled.
#[derive(Debug)]
pub struct OpenAi {
    endpoint: http::Endpoint,
    models: Vec<ModelFacts>,
    format: request::Format,
}

impl OpenAi {
    /// Checks the configuration. Touches neither the network nor, before the first call, the
    /// system's certificates.
    pub fn new(config: OpenAiConfig) -> Result<Self, ConfigError> {
        let endpoint = http::Endpoint::new(&config)?;
        let format = request::Format {
            output_limit: config
                .output_limit
                .unwrap_or_else(|| OutputLimit::of_host(endpoint.host())),
            thinking: config.thinking,
            call_signatures: config
                .call_signatures
                .unwrap_or_else(|| CallSignatures::of_host(endpoint.host())),
            usage: config.usage,
        };
        Ok(Self { endpoint, models: config.models, format })
    }

    fn facts(&self, model: &str) -> ModelFacts {
        let known = self.models.iter().find(|facts| facts.id == model);
        known.cloned().unwrap_or_else(|| ModelFacts::assumed(model))
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
        let facts = self.facts(model);
        Some(ModelInfo {
            name: format!("{}/{}", self.name(), facts.id),
            context_window: facts.context_window,
            max_output_tokens: facts.max_output_tokens,
            images: facts.images,
            reasoning: !facts.efforts.is_empty(),
            price: facts.price,
        })
    }

    /// Sends the call and resolves with the answer's headers. Dropping the future or the stream
    /// closes the connection, which is what cancels the call at the provider.
    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let facts = self.facts(&call.model);
        let body = request::body(&call, &facts, &self.format)?;
        let response = self.endpoint.post(&body, &facts).await?;
        let context = answer::Context::new(&call, self.endpoint.refusals(&facts));
        Ok(answer::deltas(response, context, self.endpoint.timeouts()))
    }
}
