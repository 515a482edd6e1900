//! What stands behind a model's name. Implemented by the provider crates, driven by the pipeline.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::chat::{Delta, Request};
use crate::ids::SessionId;
use crate::money::{Price, Tier};
use crate::quoted::Quoted;

/// Bytes of a token, averaged over an answer, that no model's text passes: four are usual, and eight
/// are rare.
const TOKEN_BYTES_MAX: u64 = 16;

/// What the pipeline must know about a model before it sends anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// As users write it, e.g. `openai/gpt-5-mini`, `local`, `script:demo.jsonl`.
    pub name: String,
    /// Tokens.
    pub context_window: u32,
    /// Tokens.
    pub max_output_tokens: u32,
    pub images: bool,
    pub reasoning: bool,
    /// `None`: unknown, so the model is refused until the configuration prices it.
    pub price: Option<Price>,
    /// What takes the place of `price` for long inputs, in any order.
    pub tiers: Vec<Tier>,
}

/// A call as a provider gets it: routed, priced, with an output limit.
#[derive(Debug, Clone)]
pub struct Call {
    pub request: Request,
    /// The model's name at the provider.
    pub model: String,
    /// Tokens; always set, never above what was reserved.
    pub max_output_tokens: u32,
    /// The conversation, for providers that keep a prefix cache; opaque.
    pub session: SessionId,
}

/// Why a provider could not answer. Texts are safe to show: no key, no upstream body, no host path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Not reached, or broken off. `sent` tells whether the request may have been processed.
    #[error("{provider}: {reason}")]
    Connection { provider: String, reason: String, sent: Sent },
    #[error("{provider}: status {status}: {reason}")]
    Status { provider: String, status: u16, reason: String, retry_after_ms: Option<u32> },
    #[error("{provider}: malformed answer: {reason}")]
    Malformed { provider: String, reason: String },
    #[error("the history does not fit the context window of {window} tokens")]
    ContextExceeded { window: u32 },
    #[error("{0}")]
    InvalidRequest(String),
    #[error("{provider}: no model {}", Quoted(model))]
    UnknownModel { provider: String, model: String },
    #[error("{0}")]
    Other(String),
}

/// Whether the provider may have seen (and billed) the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    No,
    Maybe,
}

impl ProviderError {
    /// Whether the same request may succeed later. Only meaningful before the first delta.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 409 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// A stream of deltas. Dropping it cancels the call upstream.
pub type Deltas = BoxStream<'static, Result<Delta, ProviderError>>;

#[async_trait]
pub trait Provider: Send + Sync {
    /// For messages and logs, e.g. `openai`, `local`, `script`.
    fn name(&self) -> &str;

    /// Facts about a model; `None` when the provider has none of that name.
    fn model(&self, model: &str) -> Option<ModelInfo>;

    /// Whether a further parameter of a request ([`crate::chat::EXTRA_FIELDS`]) means anything to it;
    /// `call` refuses others.
    fn takes(&self, _field: &str) -> bool {
        true
    }

    /// Starts a call. Resolves when the provider accepted it (headers), before the first delta.
    /// Must not retry: the pipeline does, and only before the first delta. Must not compute for
    /// long, nor may its stream: other calls may share the thread.
    async fn call(&self, call: Call) -> Result<Deltas, ProviderError>;

    /// Counts the tokens of a text with the provider's tokenizer, or the nearest one: used when a
    /// provider reports no usage, and to fit a history into a window. May take a while at first.
    fn count_tokens(&self, text: &str) -> u64 {
        // A quarter of the bytes is the usual rule of thumb for English; rounding up keeps
        // one-letter texts at one token.
        (text.len() as u64).div_ceil(4)
    }

    /// Tokens that a text of an answer has for certain, whatever the vocabulary: an answer that has
    /// more than its limit by this count is ended. Exact where the tokenizer is known.
    fn count_at_least(&self, text: &str) -> u64 {
        text.len() as u64 / TOKEN_BYTES_MAX
    }
}
