//! The module, compiled and linked: what instances are made from.

use std::path::Path;

use engine::CompileCache;
use wasmtime::{Engine, InstancePre, Linker};

use crate::computers::StartError;
use crate::imports::{self, Side};

/// The module, ready to be instantiated.
pub struct Module {
    pub engine: Engine,
    pub linked: InstancePre<Side>,
}

impl Module {
    /// Loads it, compiled before or now.
    pub fn load(
        path: &Path,
        cache: &CompileCache,
        compiling: impl FnOnce(),
    ) -> Result<Self, StartError> {
        let engine = engine::machines()?;
        let (module, _) = cache.load_module(&engine, path, compiling)?;
        let mut linker = Linker::new(&engine);
        imports::add_to_linker(&mut linker).map_err(StartError::Fit)?;
        let linked = linker.instantiate_pre(&module).map_err(StartError::Fit)?;
        Ok(Self { engine, linked })
    }
}
