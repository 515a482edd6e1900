//! The engine of the machines' computers.
//!
//! They want one of their own: each has one large memory that the host will map and copy by itself, and
//! their code is the host's own and ends in bounded time, so that a check at each of its loops would be
//! paid for nothing. Called by the computer crate.

use wasmtime::{Config, InstanceAllocationStrategy, OptLevel};

use crate::EngineError;

/// An engine without an epoch clock: what runs in it must return by itself.
///
/// # Errors
/// The compiler does not work on this machine.
pub fn machines() -> Result<wasmtime::Engine, EngineError> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        // Images of a module's start are made by wasmtime's own memories only; a memory of the host's,
        // which checkpoints need, does not go with them. The module has next to no data to copy.
        .memory_init_cow(false);
    wasmtime::Engine::new(&config).map_err(EngineError::Setup)
}
