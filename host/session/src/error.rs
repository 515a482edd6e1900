//! What can go wrong with a session, for the user.

use std::io;
use std::path::PathBuf;

use domain::Fault;
use engine::CpuExhausted;
use store::session::SessionError;

/// A session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot use {} as {what}", path.display())]
    Directory { what: &'static str, path: PathBuf, source: io::Error },
    #[error("session `{0}` is in use by another process; end that one, or name another session")]
    InUse(domain::SessionId),
    #[error(transparent)]
    Paths(#[from] files::GuardError),
    #[error("the workspace cannot be shared with the agent's machine")]
    Share(#[from] ninep::OpenError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("agent `{agent}` cannot use model `{model}`")]
    Model { agent: String, model: String, source: llm::LlmError },
}

/// A turn did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    #[error("the harness refused: {0}")]
    Invalid(String),
    #[error("the model call failed: {0}")]
    Model(String),
    #[error("{0}")]
    Budget(String),
    #[error("the harness failed: {0}")]
    Harness(String),
    #[error("the harness takes no images; send text only")]
    NoImages,
    #[error("the prompt is too large: {0}")]
    TooLarge(bindings::convert::TooLarge),
    #[error("the harness could not be started")]
    Instantiate(#[source] wasmtime::Error),
    #[error("the harness crashed")]
    Trap(#[source] wasmtime::Error),
    #[error("the harness crashed after it was refused more memory")]
    OutOfMemory(#[source] wasmtime::Error),
    #[error(transparent)]
    Cpu(CpuExhausted),
    #[error("the harness did not end its turn within {} s of the cancellation and was stopped", .0.as_secs())]
    Stuck(std::time::Duration),
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl TurnError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Invalid(_) | Self::NoImages | Self::TooLarge(_) => Fault::Request,
            Self::Model(_) => Fault::Model,
            Self::Budget(_) => Fault::Budget,
            Self::Session(_) => Fault::Host,
            Self::Harness(_)
            | Self::Instantiate(_)
            | Self::Trap(_)
            | Self::OutOfMemory(_)
            | Self::Cpu(_)
            | Self::Stuck(_) => Fault::Harness,
        }
    }
}
