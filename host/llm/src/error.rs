//! Why a completion failed: what a guest can act on, plus `Other`.

use domain::provider::ProviderError;
use domain::{Quoted, Scope};

/// Texts are safe to show to a guest and a user: no key, no upstream body, no host path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    #[error("{message}")]
    BudgetExhausted { scope: Scope, resets_at: Option<u64>, message: String },
    #[error("too many requests; try again in {after_ms} ms")]
    RateLimited { after_ms: u32 },
    #[error("no model {}; {hint}", Quoted(model))]
    UnknownModel { model: String, hint: String },
    #[error(
        "the price of `{model}` is unknown, and a paid model without a price is refused; {fix}"
    )]
    UnknownPrice { model: String, fix: String },
    #[error("the history does not fit the context window of {window} tokens")]
    ContextExceeded { window: u32 },
    #[error("{message}")]
    ProviderFailed { status: Option<u16>, message: String, retriable: bool },
    #[error("{0}")]
    InvalidRequest(String),
    #[error("cancelled")]
    Cancelled,
    #[error("{0}")]
    Other(String),
}

impl From<ProviderError> for LlmError {
    fn from(error: ProviderError) -> Self {
        let message = error.to_string();
        let retriable = error.is_transient();
        match error {
            ProviderError::ContextExceeded { window } => Self::ContextExceeded { window },
            ProviderError::InvalidRequest(text) => Self::InvalidRequest(text),
            ProviderError::UnknownModel { model, provider } => {
                Self::UnknownModel { model, hint: format!("`{provider}` does not have it") }
            }
            ProviderError::Status { status: 429, retry_after_ms: Some(after_ms), .. } => {
                Self::RateLimited { after_ms }
            }
            ProviderError::Status { status, .. } => {
                Self::ProviderFailed { status: Some(status), message, retriable }
            }
            ProviderError::Connection { .. } | ProviderError::Malformed { .. } => {
                Self::ProviderFailed { status: None, message, retriable }
            }
            ProviderError::Other(text) => Self::Other(text),
        }
    }
}
