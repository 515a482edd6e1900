//! Failures in the contract's words.

use bindings::machine::types::Error;
use futures::FutureExt as _;
use machine_client::ProcessError;
use machine_protocol::Refusal;

use crate::machine::{Running, StartError};

/// Why a process that was allowed does not answer.
pub(crate) async fn error(failure: ProcessError, running: &Running) -> Error {
    match failure {
        ProcessError::Refused(Refusal::NoDirectory(path)) => {
            Error::NotFound(format!("there is no directory `{path}` in the machine"))
        }
        ProcessError::Refused(Refusal::Invalid(reason)) => Error::Invalid(reason),
        ProcessError::Refused(Refusal::System(reason)) => {
            Error::Other(format!("the machine could not start it: {reason}"))
        }
        ProcessError::Refused(Refusal::NoShell) => {
            running.retire("the machine has no shell any more");
            Error::Gone(running.ended().await)
        }
        ProcessError::Gone(reason) => Error::Gone(match running.client.ended().now_or_never() {
            Some(_) => running.ended().await,
            None => reason,
        }),
        failure => Error::Other(failure.to_string()),
    }
}

/// A machine that does not start.
pub(crate) fn not_started(failure: &StartError) -> Error {
    Error::Other(with_causes(failure))
}

/// The same as a text, with its causes on one line.
pub(crate) fn with_causes(failure: &StartError) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    tracing::warn!(error = %text, "a machine does not start");
    text
}
