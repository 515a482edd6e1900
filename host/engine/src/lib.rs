//! The one place that configures wasmtime: engine, compiled-code cache, limits, CPU metering.
//!
//! Called by the session and the computer crate. It knows nothing of harnesses, models or money, and it
//! never runs code that came from anywhere but its own compiler: compiled code is read back only from its
//! own cache, keyed by the digest of the component or module and the engine's compatibility hash.

mod cache;
mod code;
mod engine;
mod limits;
mod machines;
mod meter;

pub use cache::{COMPONENT_MAX_BYTES, CompileCache, Digest, LoadError, Source};
pub use engine::{Allocation, Engine, EngineError, Options};
pub use limits::{MEMORY_MAX_BYTES, StoreLimits, limit_handles};
pub use machines::machines;
pub use meter::{CpuExhausted, Meter, Metered};
