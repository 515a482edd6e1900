//! Why a server or a call failed. No text here holds a value of the configuration.

use std::io;
use std::time::Duration;

use crate::http_failure::HttpFailure;

/// A server has no tools to offer. Displayed with its causes to the user.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "its command `{command}` was not found; install it, or write its path as the first of `command`"
    )]
    NotFound { command: String },
    #[error("its command `{command}` could not be started")]
    Spawn { command: String, source: io::Error },
    #[error("its header `{name}` is not one; correct it under `headers`")]
    Header { name: String },
    #[error("its `url` is none; write one like `https://example.com/mcp`")]
    Url,
    #[error(
        "its `url` is plain HTTP to another machine; write `https://`, or reach it through a tunnel that begins on this machine"
    )]
    Plain,
    #[error("the proxy variable is no URL; write one like `http://proxy.example:3128`")]
    Proxy,
    #[error("TLS cannot be set up; install the system's `ca-certificates`")]
    Tls(#[source] rustls::Error),
    #[error("its HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    #[error("it did not answer within {} s; raise `start_timeout` if it needs longer", .0.as_secs())]
    TimedOut(Duration),
    #[error(
        "it does not speak the protocol, or ended at once; `xpressclaw logs` shows what it wrote"
    )]
    Initialize(#[source] Box<rmcp::service::ClientInitializeError>),
    #[error(transparent)]
    Http(#[from] HttpFailure),
    #[error("it does not speak the protocol")]
    Protocol(#[source] Box<rmcp::service::ClientInitializeError>),
    #[error("it did not list its tools")]
    List(#[source] rmcp::ServiceError),
    #[error("it ended too often; it is started again in a minute at the latest")]
    TooOften,
}

/// A call that gave no result. Displayed, it is a sentence for the model.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("the tool did not answer in time")]
    TimedOut,
    #[error("the server refused the call: {0}")]
    Refused(String),
    #[error(
        "the server ended, or its connection broke, before it answered; the call may have been carried out"
    )]
    Gone,
    #[error("the server answered with HTTP status {status}")]
    Status { status: u16 },
    #[error("the server could not be started again")]
    Start(#[from] StartError),
    #[error("the server's answer was none to a call of a tool")]
    Unexpected,
    #[error("the result is too large: {what} of at most {limit} bytes")]
    TooLarge { what: &'static str, limit: usize },
    #[error("the result holds {0} that is not base64")]
    NotBase64(&'static str),
}
