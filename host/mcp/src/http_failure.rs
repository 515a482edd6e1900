//! Why a server over HTTP failed, read off the SDK's errors.
//!
//! They hold the address, whose query may be a key, and the beginning of whatever page stands there.
//! Neither goes into a notice, a log line or a model's context.

use std::error::Error;

use reqwest::StatusCode;
use rmcp::ServiceError;
use rmcp::service::ClientInitializeError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use crate::error::CallError;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    #[error(
        "nothing answers at its address ({cause}); check `url`, and whether the server runs there"
    )]
    Unreachable { cause: String },
    #[error("the connection to it broke ({cause})")]
    Broken { cause: String },
    #[error("it does not take its credentials (HTTP status {0}); check `headers`")]
    Credentials(u16),
    #[error(
        "it redirects (HTTP status {0}), and that is not followed; write where it leads as `url`"
    )]
    Redirect(u16),
    #[error("it answers with HTTP status {0}; check the path of `url`")]
    Status(u16),
    #[error("it is unavailable (HTTP status {0}); it is asked again before the next turn")]
    Unavailable(u16),
    #[error("what answers at its address is no MCP server; check `url`")]
    Stranger,
    #[error("the header `{0}` is the protocol's own; remove it from `headers`")]
    Reserved(String),
}

impl HttpFailure {
    pub(crate) fn of_start(error: &ClientInitializeError) -> Option<Self> {
        match error {
            ClientInitializeError::TransportError { error, .. } => Self::find(&*error.error),
            ClientInitializeError::LegacyFallbackFailed { discover, fallback } => {
                Self::of_start(fallback).or_else(|| Self::of_start(discover))
            }
            _ => None,
        }
    }

    pub(crate) fn of_call(error: &ServiceError) -> Option<Self> {
        match error {
            ServiceError::TransportSend(error) => Self::find(&*error.error),
            _ => None,
        }
    }

    fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
                return Self::of(error);
            }
            next = error.source();
        }
        None
    }

    fn of(error: &StreamableHttpError<reqwest::Error>) -> Option<Self> {
        Some(match error {
            StreamableHttpError::Client(error) => match error.status() {
                Some(status) => Self::of_status(status.as_u16()),
                None if error.is_connect() => Self::Unreachable { cause: root_cause(error) },
                None => Self::Broken { cause: root_cause(error) },
            },
            StreamableHttpError::HttpStatus(error) => Self::of_status(error.status),
            // `HTTP 404 Not Found: `, or a body that is not the protocol's.
            StreamableHttpError::UnexpectedServerResponse(text) => {
                let status =
                    text.strip_prefix("HTTP ").and_then(|rest| rest.get(..3)?.parse().ok());
                status.map_or(Self::Stranger, Self::of_status)
            }
            StreamableHttpError::UnexpectedContentType(_)
            | StreamableHttpError::Deserialize(_)
            | StreamableHttpError::MissingSessionIdInResponse => Self::Stranger,
            StreamableHttpError::AuthRequired(_) => Self::Credentials(401),
            StreamableHttpError::InsufficientScope(_) => Self::Credentials(403),
            StreamableHttpError::SessionExpired => Self::Status(404),
            StreamableHttpError::ReservedHeaderConflict(name) => Self::Reserved(name.clone()),
            _ => return None,
        })
    }

    fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect(status),
            401 | 403 => Self::Credentials(status),
            429 | 500.. => Self::Unavailable(status),
            _ => Self::Status(status),
        }
    }

    /// What a call comes to.
    pub(crate) fn call(self) -> CallError {
        match self {
            Self::Credentials(status)
            | Self::Redirect(status)
            | Self::Status(status)
            | Self::Unavailable(status) => CallError::Status { status },
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Reserved(_) => CallError::Gone,
            Self::Stranger => CallError::Unexpected,
        }
    }
}

impl CallError {
    /// Whether the connection is of no more use: the next call makes a new one. A server that is
    /// busy is not gone, and its other calls go on.
    pub(crate) fn breaks(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Status { status } => StatusCode::from_u16(*status).is_ok_and(|status| {
                status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS
            }),
            _ => false,
        }
    }
}

/// The innermost reason: the outer ones repeat the address.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
