//! The two protocols, where the rest of the endpoint must tell them apart.

use axum::http::{HeaderMap, HeaderName};

/// Sent by Anthropic's clients with every request.
const ANTHROPIC_VERSION: &str = "anthropic-version";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    OpenAi,
    Anthropic,
}

impl Family {
    /// Of a request whose path both have.
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(ANTHROPIC_VERSION) { Self::Anthropic } else { Self::OpenAi }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// The header that its clients show a request's id from.
    pub fn request_id(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::OpenAi => "x-request-id",
            Self::Anthropic => "request-id",
        })
    }
}
