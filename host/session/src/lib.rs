//! The composition root: an agent's session, from a component file to a stream of events.
//!
//! `Runtime` is what a process has once (engine, linker, pipeline, store); `Session` is one agent's
//! conversation with one harness. This crate joins the capability crates and implements none of
//! them; it never prints and never reads the environment.

mod config;
mod contexts;
mod error;
mod folders;
mod guest;
mod harness_file;
mod machine;
mod refusal;
mod runtime;
mod servers;
mod session;
mod span;
mod state;
mod wasi;
mod watchers;

pub use config::{MachineConfig, SessionConfig};
pub use error::{OpenError, TurnError};
pub use guest::{CpuLimits, Features};
pub use harness_file::{ComponentFile, Harness, Middleware};
pub use refusal::HarnessError;
pub use runtime::{Runtime, RuntimeError, RuntimeOptions};
pub use session::{Instance, Session, TurnReport, leftovers};
