//! What must be known about an endpoint and its models, whatever it speaks.

use std::time::Duration;

use domain::chat::Effort;
use domain::provider::ModelInfo;
use domain::{Price, Tier};

use crate::Secret;

/// Context of a model that nothing is configured about. Tokens; the size that current hosted
/// models have at least. Too large a guess is corrected by the server's refusal.
pub const ASSUMED_CONTEXT_WINDOW: u32 = 131_072;
/// Longest answer of a model that nothing is configured about. Tokens; enough to write a large
/// file, little enough that a reservation does not swallow a small budget.
pub const ASSUMED_MAX_OUTPUT_TOKENS: u32 = 16_384;

/// Establishing a connection, TLS included: far above the slowest link, well below a user's
/// patience.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence on an open connection. Reasoning models and long prefills are quiet for minutes.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Only keep-alive comments: a server that is alive but says nothing is given up later than a
/// silent one.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(900);

/// An endpoint, resolved from the configuration of a protocol.
pub(crate) struct Settings<'a> {
    pub name: &'a str,
    /// May hold [`MODEL_PLACEHOLDER`] in its path.
    pub base_url: &'a str,
    /// What to do about a base URL where nothing answers.
    pub base_url_hint: &'static str,
    /// What follows the base URL in a call's, which may hold it already.
    pub path: &'static str,
    /// Added to the base URL's own query.
    pub query: &'a [(String, String)],
    pub key: Option<&'a Secret>,
    pub key_header: KeyHeader,
    pub key_setting: &'a str,
    /// Of the protocol: name and value. Those of `headers` go before them.
    pub fixed_headers: &'static [(&'static str, &'static str)],
    pub headers: &'a [(String, Secret)],
    pub proxy: Option<&'a Secret>,
    pub timeouts: Timeouts,
}

/// Stands in a base URL for the model's name, where a server has it in the path: Azure's
/// `…/openai/deployments/{model}`.
pub const MODEL_PLACEHOLDER: &str = "{model}";

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyHeader {
    /// `authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    ApiKey,
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
    /// The levels of effort that it takes; empty for a model that refuses requests which name one.
    pub efforts: Vec<Effort>,
    /// `None`: unknown, so budgets refuse the model until it is configured.
    pub price: Option<Price>,
    /// Prices of long inputs.
    pub tiers: Vec<Tier>,
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
            tiers: Vec::new(),
        }
    }

    /// The same, and where no price is known that of the table for whoever answers at `host`.
    pub(crate) fn priced(mut self, host: &str) -> Self {
        if self.price.is_none()
            && let Some(listed) = prices::shop(host).and_then(|shop| shop.find(&self.id))
        {
            self.price = Some(listed.price);
            self.tiers.clone_from(&listed.tiers);
        }
        self
    }

    /// As the pipeline sees it.
    pub(crate) fn info(self, provider: &str) -> ModelInfo {
        ModelInfo {
            name: format!("{provider}/{}", self.id),
            context_window: self.context_window,
            max_output_tokens: self.max_output_tokens,
            images: self.images,
            reasoning: !self.efforts.is_empty(),
            price: self.price,
            tiers: self.tiers,
        }
    }

    /// The level itself or the next lower one that the model has; its lowest when there is none;
    /// `None` for a model that takes none.
    pub(crate) fn served(&self, wanted: Effort) -> Option<Effort> {
        let rank = |effort: &Effort| *effort as u8;
        let lower = self.efforts.iter().filter(|effort| rank(effort) <= rank(&wanted));
        let lower = lower.max_by_key(|effort| rank(effort));
        lower.or_else(|| self.efforts.iter().min_by_key(|e| rank(e))).copied()
    }
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
