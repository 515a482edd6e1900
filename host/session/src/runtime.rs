//! What a process has once: engine, linker, compiled-code cache, pipeline, store.

use std::path::PathBuf;

use engine::{Allocation, CompileCache, Engine, EngineError, Options};
use llm::Pipeline;
use store::Store;
use wasmtime::component::Linker;

use crate::state::{State, link};

/// How a process is set up.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Where compiled code is kept.
    pub compiled: PathBuf,
    /// Sessions that may be alive at once.
    pub sessions: u32,
    pub allocation: Allocation,
}

#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot link the host's interfaces")]
    Link(#[source] wasmtime::Error),
}

/// Shared by all sessions of a process.
pub struct Runtime {
    engine: Engine,
    linker: Linker<State>,
    cache: CompileCache,
    pipeline: Pipeline,
    store: Store,
}

impl Runtime {
    pub fn new(
        options: &RuntimeOptions,
        pipeline: Pipeline,
        store: Store,
    ) -> Result<Self, RuntimeError> {
        let engine =
            Engine::new(&Options { sessions: options.sessions, allocation: options.allocation })?;
        let mut linker = Linker::new(engine.wasmtime());
        link(&mut linker).map_err(RuntimeError::Link)?;
        let cache = CompileCache::new(&options.compiled);
        Ok(Self { engine, linker, cache, pipeline, store })
    }

    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<State> {
        &self.linker
    }

    pub(crate) fn cache(&self) -> &CompileCache {
        &self.cache
    }
}
