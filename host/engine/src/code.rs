//! The two kinds of compiled code that the cache keeps: components, and core modules.
//!
//! Used by `cache`; harnesses are components, the machine's computer is a module.

use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// One kind of code.
pub(crate) trait Code: Sized {
    /// Fourth number of the binary format's preamble: 0 is a core module, 1 a component (component
    /// model, `design/mvp/Binary.md`).
    const LAYER: u8;
    /// In messages.
    const KIND: &'static str;

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;

    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// # Safety
    /// The file holds what `serialize` gave for code that this engine, or one configured like it,
    /// compiled.
    #[allow(unsafe_code)]
    unsafe fn read_back(engine: &Engine, path: &Path) -> wasmtime::Result<Self>;
}

impl Code for Component {
    const LAYER: u8 = 1;
    const KIND: &'static str = "component";

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, bytes)
    }

    fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        Component::serialize(self)
    }

    #[allow(unsafe_code)]
    unsafe fn read_back(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, path) }
    }
}

impl Code for Module {
    const LAYER: u8 = 0;
    const KIND: &'static str = "core module";

    fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, bytes)
    }

    fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        Module::serialize(self)
    }

    #[allow(unsafe_code)]
    unsafe fn read_back(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, path) }
    }
}
