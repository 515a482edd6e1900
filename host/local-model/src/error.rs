//! Why a model cannot be used. `OpenError` is for the person who configured it and names the file;
//! what happens during a call is a `ProviderError`, which never does.

use std::io;
use std::path::PathBuf;

use domain::provider::ProviderError;

/// The provider's name in messages.
pub(crate) const PROVIDER: &str = "local";

/// Why a file cannot be opened as a model.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("no model file at {path}; give the path of a .gguf file")]
    Missing { path: PathBuf },
    #[error("cannot read the model file {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is being removed by another process")]
    Removing { path: PathBuf },
    #[error("{path} is not a GGUF file; convert the model or download it as .gguf")]
    NotGguf { path: PathBuf },
    #[error("the GGUF header of {path} is damaged; download the file again")]
    Damaged { path: PathBuf },
    #[error("{path} does not say `{key}`; it is not a language model")]
    NoKey { path: PathBuf, key: String },
    #[error(
        "{path} has no chat template, so it is a base model; take its instruct or chat variant"
    )]
    NoTemplate { path: PathBuf },
    #[error("the chat template in {path} cannot be read; take another conversion of the model")]
    Template { path: PathBuf, source: minijinja::Error },
    #[error(
        "gpu_layers is {layers}, but this program was built without support for a GPU; build it with \
         the feature `cuda` or `vulkan`, or take gpu_layers away"
    )]
    NoGpu { layers: u32 },
    #[error("llama.cpp could not be started: {0}")]
    Backend(String),
}

/// Why the opened file could not be loaded at the first call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("llama.cpp could not be started: {0}")]
    Backend(String),
    #[error("the model file was removed after it was opened; put it back or configure another")]
    Vanished,
    #[error(
        "llama.cpp cannot load the model: it does not know the architecture `{architecture}`, the \
         file is damaged, or memory ran out; its own words are in the log at level debug"
    )]
    Model { architecture: String },
    #[error("no memory for a context of {context} tokens; configure a smaller context")]
    Context { context: u32 },
    #[error("the model's vocabulary cannot drive a grammar: {0}")]
    Vocabulary(String),
}

impl From<LoadError> for ProviderError {
    fn from(error: LoadError) -> Self {
        Self::Other(format!("{PROVIDER}: {error}"))
    }
}
