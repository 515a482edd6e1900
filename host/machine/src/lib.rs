//! The door to an agent's machine: `xpressclaw:machine`.
//!
//! An agent without a machine gets `no-machine` from every function, which is the contract's own
//! answer and constant for a session: a harness says so to its model instead of pretending.

mod checkpoint;
mod shell;
mod terminal;

use approvals::Approvals;
use wasmtime::component::{HasData, ResourceTable};

/// What this door keeps per session: no machine, and what may not be asked of one.
#[derive(Debug)]
pub struct MachineCtx {
    pub approvals: Approvals,
}

/// This door's state together with the store's resource table, borrowed for one call.
pub struct MachineView<'a> {
    pub ctx: &'a mut MachineCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasMachine;

impl HasData for HasMachine {
    type Data<'a> = MachineView<'a>;
}

impl bindings::machine::types::Host for MachineView<'_> {}

/// A guest cannot hold a process or a terminal, because none is ever made.
pub(crate) fn no_such_handle<T>() -> wasmtime::Result<T> {
    Err(wasmtime::component::ResourceTableError::NotPresent.into())
}
