//! Tools that the host offers to a harness: `xpressclaw:tools`.
//!
//! The list is what the agent's configuration gives it, from the MCP servers behind it (`mcp`).
//! They run outside of the sandbox, so every call is put to `approvals` first. Nothing here may
//! block the guest but `finish`.

mod host;
mod invocation;

use approvals::Approvals;
use harness::Cancellation;
use mcp::Servers;
use wasmtime::component::{HasData, ResourceTable};

pub use invocation::{ARGUMENTS_MAX_BYTES, CALL_ID_MAX_BYTES, CALLS_MAX};

/// What this door keeps per session.
pub struct ToolsCtx {
    servers: Servers,
    approvals: Approvals,
    /// Of the current turn.
    pub cancellation: Cancellation,
    open: invocation::Slots,
}

impl ToolsCtx {
    pub fn new(servers: Servers, approvals: Approvals, cancellation: Cancellation) -> Self {
        Self { servers, approvals, cancellation, open: invocation::Slots::default() }
    }
}

/// This door's state together with the store's resource table, borrowed for one call.
pub struct ToolsView<'a> {
    pub ctx: &'a mut ToolsCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasTools;

impl HasData for HasTools {
    type Data<'a> = ToolsView<'a>;
}
