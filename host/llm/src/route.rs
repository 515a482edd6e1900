//! Routing: from a model's name to the provider behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::provider::{ModelInfo, Provider};

use crate::error::LlmError;

/// Where a request goes.
#[derive(Clone)]
pub struct Route {
    pub provider: Arc<dyn Provider>,
    /// The model's name at the provider.
    pub model: String,
    pub info: ModelInfo,
}

/// The providers of a process, by the prefix of the names that they serve: `openai/gpt-5` is
/// `gpt-5` at `openai`. A name without a slash is a provider with one model.
#[derive(Clone, Default)]
pub struct Router {
    providers: BTreeMap<String, Arc<dyn Provider>>,
}

impl Router {
    /// A provider under a prefix; a later one of the same prefix replaces it.
    pub fn add(&mut self, prefix: impl Into<String>, provider: Arc<dyn Provider>) {
        self.providers.insert(prefix.into(), provider);
    }

    pub fn route(&self, name: &str) -> Result<Route, LlmError> {
        let (prefix, model) = match name.split_once('/') {
            Some((prefix, model)) if self.providers.contains_key(prefix) => (prefix, model),
            _ => (name, name),
        };
        let unknown = |hint: String| LlmError::UnknownModel { model: name.into(), hint };
        let provider = self.providers.get(prefix).ok_or_else(|| {
            let known: Vec<_> = self.providers.keys().map(String::as_str).collect();
            unknown(format!(
                "configured are: {}; add a provider under `providers:` in xpressclaw.yaml and name the model `provider/model`",
                if known.is_empty() { "none".into() } else { known.join(", ") }
            ))
        })?;
        let info =
            provider.model(model).ok_or_else(|| unknown(format!("`{prefix}` does not have it")))?;
        Ok(Route {
            provider: provider.clone(),
            model: model.into(),
            info: ModelInfo { name: name.into(), ..info },
        })
    }
}
