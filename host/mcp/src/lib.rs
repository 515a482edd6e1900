//! MCP servers outside of the sandbox: their processes and connections, and the tools they offer.
//!
//! The session makes one [`Servers`] from what the agent's configuration gives it; the `tools` door
//! lists and calls. Servers run with the user's rights, so nothing here decides whether a call may
//! be made: the caller asks `approvals` first.
//!
//! This crate must never read the environment, never touch wasmtime, never declare sampling,
//! elicitation or roots (a server must not spend money or ask the user behind the ledger), and
//! never let a server make it hold more than its limits say.

mod call;
mod client;
mod connection;
mod error;
mod http;
mod http_failure;
mod limits;
mod list;
mod names;
mod output;
mod process;
mod servers;
mod spec;
mod stderr;

pub use call::CALL_EXTENSION_MAX;
pub use error::{CallError, StartError};
pub use http_failure::HttpFailure;
pub use limits::{
    DESCRIPTION_MAX_BYTES, MESSAGE_MAX_BYTES, SCHEMA_MAX_BYTES, STARTS_PER_MINUTE, TOOLS_MAX,
};
pub use list::Tool;
pub use output::Output;
pub use servers::{Hook, Hooks, Servers};
pub use spec::{Selection, Spec, Transport, Value};
