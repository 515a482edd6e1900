//! Why a machine's agent is not spoken to any more, and why a process cannot be.

use std::io;
use std::sync::Arc;

use machine_protocol::{MAX_PROCESSES, Refusal, VERSION};

/// Why nothing more comes from the agent, ever.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Ended {
    /// The machine ended, or whoever carries its bytes.
    #[error("the machine closed its stream")]
    Closed,
    #[error("the stream to the machine broke")]
    Stream(#[source] Arc<io::Error>),
    /// The guest is broken or hostile. The machine is to be ended.
    #[error("the machine broke the protocol: {0}")]
    Protocol(String),
    #[error("the machine's agent speaks version {theirs} of the protocol, and this host {VERSION}")]
    Version { theirs: u32 },
    /// Nobody holds the client any more, or its runtime was shut down.
    #[error("nobody serves the machine's stream any more")]
    Stopped,
}

/// Why a call on a process failed. Each is lasting: the same call fails again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// The agent did not start it, or it could not be asked to.
    #[error("not started: {}", text(.0))]
    Refused(Refusal),
    /// The machine holds no more processes; those that were dropped count until they ended.
    #[error("at most {MAX_PROCESSES} processes run in a machine")]
    TooMany,
    /// The machine or its agent went, and this with it; the text says how.
    #[error("{0}")]
    Gone(String),
    /// Nobody reads its input any more, or the caller closed it.
    #[error("its input is closed")]
    InputClosed,
    /// It was not started on a terminal.
    #[error("it has no terminal")]
    NoTerminal,
}

fn text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoDirectory(path) => format!("no such directory: {path}"),
        Refusal::Invalid(text) | Refusal::System(text) => text.clone(),
        Refusal::NoShell => "there is no shell".to_owned(),
    }
}
