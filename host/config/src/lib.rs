//! `xpressclaw.yaml`, read once into one plain struct.
//!
//! The binary loads it ([`Config::load`]) and hands the parts to those that they configure. Every
//! mistake is reported with its place, all of them at once, because a file is edited once and not
//! once per error; an unknown key is a mistake, since a misspelt budget would otherwise be none.
//!
//! This crate must never read the environment, never resolve a key (it only knows where one is
//! kept), and never fill in what another part decides: a value that is not written is `None`,
//! unless its documentation names the default.

mod agent;
mod approvals;
mod budget;
mod document;
mod error;
mod field;
mod limits;
mod load;
mod local;
mod machine;
mod mcp;
mod node;
mod problem;
mod protocol;
mod provider;
mod registry;
mod trust;

pub use agent::Agent;
pub use budget::{Budget, WARN_AT_DEFAULT, WARN_AT_MAX};
pub use document::{Config, VERSION};
pub use error::ConfigError;
pub use limits::Limits;
pub use load::{FILE_MAX_BYTES, FILE_NAME};
pub use local::Local;
pub use machine::Machine;
pub use mcp::{McpServer, McpTransport, START_TIMEOUT_DEFAULT, TIMEOUT_DEFAULT, ToolRef};
pub use problem::{Fault, Problem};
pub use protocol::{Habits, OutputLimit, ProviderKind, ReasoningHistory, Thinking};
pub use provider::{Header, Model, Provider, SecretRef};
pub use registry::Registry;
pub use trust::{KeySource, Trust};
