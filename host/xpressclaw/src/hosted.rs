//! Providers of hosted models, from their configuration. Keys are read here, from where the
//! configuration says they are kept.

use std::sync::Arc;

use anyhow::Result;
use config::{Habits, Header, Model, Provider as ProviderConfig, ProviderKind, SecretRef};
use domain::chat::Effort;
use domain::provider::Provider;
use providers::Secret;
use providers::anthropic::{Anthropic, AnthropicConfig, ClaudeModel, EFFORTS, ThinkingStyle};
use providers::endpoint::ModelFacts;
use providers::openai::{
    OpenAi, OpenAiConfig, OutputLimit, ThinkingField, USUAL_EFFORTS, UsageRequest,
};
use providers::secret::read_key_file;

use crate::environment;
use crate::exit::Failure;

/// Sets a provider up; nothing is sent.
pub fn provider(name: &str, provider: &ProviderConfig) -> Result<Arc<dyn Provider>> {
    let access = Access::of(name, provider)?;
    let unusable =
        |error| Failure::usage(format!("provider `{name}` cannot be used")).because(error);
    Ok(match provider.kind {
        ProviderKind::OpenAi(habits) => {
            Arc::new(OpenAi::new(openai(name, provider, habits, access)).map_err(unusable)?)
        }
        ProviderKind::Anthropic => {
            Arc::new(Anthropic::new(anthropic(name, provider, access)).map_err(unusable)?)
        }
    })
}

/// What both protocols take besides the address.
struct Access {
    key: Option<Secret>,
    key_setting: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, Secret)>,
    proxy: Option<Secret>,
}

impl Access {
    fn of(name: &str, provider: &ProviderConfig) -> Result<Self> {
        let mut headers = Vec::new();
        for (header, value) in &provider.headers {
            let value = match value {
                Header::Text(text) => Secret::header_value(text).map_err(|e| {
                    Failure::usage(format!("header `{header}` of `{name}`")).because(e)
                })?,
                Header::Secret(reference) => secret(name, reference)?,
            };
            headers.push((header.clone(), value));
        }
        let proxy = environment::proxy()
            .map(Secret::new)
            .transpose()
            .map_err(|e| Failure::usage("the proxy variable cannot be used").because(e))?;
        Ok(Self {
            key: provider.api_key.as_ref().map(|r| secret(name, r)).transpose()?,
            key_setting: format!("providers.{name}.api_key in xpressclaw.yaml"),
            query: provider.query.clone().into_iter().collect(),
            headers,
            proxy,
        })
    }
}

fn openai(name: &str, provider: &ProviderConfig, habits: Habits, access: Access) -> OpenAiConfig {
    let limit = |limit| match limit {
        config::OutputLimit::MaxTokens => OutputLimit::MaxTokens,
        config::OutputLimit::MaxCompletionTokens => OutputLimit::MaxCompletionTokens,
    };
    let models = provider.models.iter();
    OpenAiConfig {
        query: access.query,
        key: access.key,
        key_setting: access.key_setting,
        headers: access.headers,
        proxy: access.proxy,
        output_limit: habits.output_limit.map(limit),
        output_limits: models
            .clone()
            .filter_map(|(id, model)| Some((id.clone(), limit(model.output_limit?))))
            .collect(),
        thinking: habits.reasoning_history.map(|history| match history {
            config::ReasoningHistory::Dropped => ThinkingField::Dropped,
            config::ReasoningHistory::ReasoningContent => ThinkingField::ReasoningContent,
        }),
        usage: match habits.stream_options {
            Some(false) => UsageRequest::Unasked,
            Some(true) | None => UsageRequest::StreamOptions,
        },
        models: models
            .map(|(id, model)| facts(model, ModelFacts::assumed(id), &USUAL_EFFORTS))
            .collect(),
        ..OpenAiConfig::new(name, &provider.base_url)
    }
}

fn anthropic(name: &str, provider: &ProviderConfig, access: Access) -> AnthropicConfig {
    let models = provider.models.iter().map(|(id, model)| {
        let assumed = ClaudeModel::assumed(id);
        ClaudeModel {
            thinking: match model.thinking {
                Some(config::Thinking::Adaptive) => ThinkingStyle::Adaptive,
                Some(config::Thinking::Budget) => ThinkingStyle::Budget,
                None => assumed.thinking,
            },
            facts: facts(model, assumed.facts, &EFFORTS),
        }
    });
    AnthropicConfig {
        query: access.query,
        key: access.key,
        key_setting: access.key_setting,
        headers: access.headers,
        proxy: access.proxy,
        models: models.collect(),
        ..AnthropicConfig::new(name, &provider.base_url)
    }
}

/// What is configured goes before what is assumed.
fn facts(model: &Model, assumed: ModelFacts, efforts: &[Effort]) -> ModelFacts {
    ModelFacts {
        context_window: model.context_window.unwrap_or(assumed.context_window),
        max_output_tokens: model.max_output_tokens.unwrap_or(assumed.max_output_tokens),
        images: model.images.unwrap_or(assumed.images),
        efforts: match model.reasoning {
            Some(true) => efforts.to_vec(),
            Some(false) => Vec::new(),
            None => assumed.efforts,
        },
        price: model.price,
        tiers: model.tiers.clone(),
        id: assumed.id,
    }
}

fn secret(provider: &str, reference: &SecretRef) -> Result<Secret> {
    let failed = |what: String| Failure::usage(format!("the key of provider `{provider}`: {what}"));
    match reference {
        SecretRef::Env(name) => {
            let value = std::env::var(name).map_err(|_| {
                failed(format!("the environment has no `{name}`")).hint(format!("export {name}=…"))
            })?;
            Ok(Secret::new(value)
                .map_err(|e| failed(format!("`{name}` is unusable")).because(e))?)
        }
        SecretRef::File(path) => {
            Ok(read_key_file(path).map_err(|e| failed("its file is unusable".into()).because(e))?)
        }
    }
}
