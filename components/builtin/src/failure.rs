//! What a failed model call means for the turn.

use crate::exports::xpressclaw::harness::agent::{Error, Stop};
use crate::xpressclaw::llm::types as llm;

/// The host has retried what was worth retrying: what arrives here is for the user.
pub fn failed(error: llm::Error) -> Result<Stop, Error> {
    Err(match error {
        llm::Error::Cancelled => return Ok(Stop::Cancelled),
        llm::Error::BudgetExhausted(budget) => Error::Budget(budget.message),
        llm::Error::InvalidRequest(text) => Error::Invalid(text),
        llm::Error::ProviderFailed(failure) => Error::Model(failure.message),
        llm::Error::UnknownModel(name) => Error::Model(format!("unknown model {name}")),
        llm::Error::RateLimited(ms) => Error::Model(format!("rate limited for {ms} ms")),
        llm::Error::ContextExceeded(window) => Error::Model(format!(
            "the conversation does not fit the model's window of {window} tokens, even shortened; \
             begin a new session, or use a model with a larger window"
        )),
        llm::Error::Other(text) => Error::Other(text),
    })
}
