//! What must be configured about an endpoint. Plain values: the binary reads files and the
//! environment and fills this in.

use domain::chat::Effort;

use crate::Secret;
use crate::endpoint::{ModelFacts, Timeouts};

/// Context of a model that nothing is configured about. Tokens; all current Claude models have at
/// least this.
pub const ASSUMED_CONTEXT_WINDOW: u32 = 200_000;

/// What every Claude model that takes an effort knows.
pub const EFFORTS: [Effort; 3] = [Effort::Low, Effort::Medium, Effort::High];

/// An endpoint and its key.
#[derive(Debug, Clone)]
pub struct AnthropicConfig {
    /// For messages and model names: `anthropic` makes `anthropic/claude-sonnet-4-6`.
    pub name: String,
    /// Everything before `/messages`, ending in `/v1`. `http` or `https`, no user name and no
    /// password; a query is kept.
    pub base_url: String,
    /// Added to the query of the base URL.
    pub query: Vec<(String, String)>,
    /// Sent as `x-api-key: …`.
    pub key: Option<Secret>,
    /// How messages name the place where the key is set. Guests may see it: never a path of the
    /// host.
    pub key_setting: String,
    /// Further headers (`anthropic-beta`, or `authorization` for gateways); their values are treated
    /// as keys.
    pub headers: Vec<(String, Secret)>,
    /// `http://host:port` of a proxy, perhaps with a password. Nothing is read from the
    /// environment.
    pub proxy: Option<Secret>,
    pub timeouts: Timeouts,
    /// What is known about models; others get [`ClaudeModel::assumed`].
    pub models: Vec<ClaudeModel>,
}

impl AnthropicConfig {
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
            timeouts: Timeouts::default(),
            models: Vec::new(),
        }
    }
}

/// What is known about a model at this endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaudeModel {
    pub facts: ModelFacts,
    pub thinking: ThinkingStyle,
}

impl ClaudeModel {
    /// What is assumed about a model that is not configured: it sees images, is asked for no
    /// thinking (older models refuse the fields), and its price is unknown.
    pub fn assumed(id: impl Into<String>) -> Self {
        Self {
            facts: ModelFacts { context_window: ASSUMED_CONTEXT_WINDOW, ..ModelFacts::assumed(id) },
            thinking: ThinkingStyle::Adaptive,
        }
    }
}

/// How a model is asked to think, where its facts say that it takes an effort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThinkingStyle {
    /// `thinking: {type: adaptive}` with `output_config.effort`: Claude 4.6 and newer; from Opus 4.7
    /// on the only one.
    #[default]
    Adaptive,
    /// `thinking: {type: enabled, budget_tokens}`: up to Claude 4.6.
    Budget,
}
