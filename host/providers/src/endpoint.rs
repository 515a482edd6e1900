//! What the protocols over HTTP share: sending a body to a configured endpoint, reading its
//! server-sent events within limits, telling its refusals apart.
//!
//! Never here: retries (the pipeline's), a redirect followed with the key in hand, a whole answer
//! in memory, an upstream body in a message.

mod address;
mod answer;
mod events;
mod http;
mod parts;
mod redact;
mod refusals;
mod settings;

use domain::chat::Request;
use domain::provider::ProviderError;

pub(crate) use answer::{TOKEN_MAX_BYTES, call_ids, is_name, unique_id};
pub(crate) use events::{Events, Read};
pub(crate) use http::Endpoint;
pub(crate) use parts::{blob_text, link_text};
pub(crate) use refusals::Refusals;
pub use settings::{
    ASSUMED_CONTEXT_WINDOW, ASSUMED_MAX_OUTPUT_TOKENS, ConfigError, MODEL_PLACEHOLDER, ModelFacts,
    Timeouts,
};
pub(crate) use settings::{KeyHeader, Settings};

/// Refuses a request with a further parameter that is not among `known`.
pub(crate) fn check_extra(request: &Request, known: &[&str]) -> Result<(), ProviderError> {
    match request.extra.keys().find(|field| !known.contains(&field.as_str())) {
        None => Ok(()),
        Some(field) => Err(ProviderError::InvalidRequest(format!(
            "the extra field `{field}` does not reach this provider; remove it, these do: {}",
            known.join(", ")
        ))),
    }
}
