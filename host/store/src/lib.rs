//! Everything xpressclaw remembers, in one SQLite file per data directory.
//!
//! The only crate that sees SQL: nothing of SQLite is in its interface. Called by the verbs, the
//! `llm` pipeline, the session and the command line. It never reads a clock (callers pass
//! `now_ms`, milliseconds since the Unix epoch), an environment variable or a configuration, and
//! it never prints.
//!
//! One [`Store`] per process, cloned freely; several processes may share a data directory. Its
//! concepts are groups of methods:
//!
//! | group | calls |
//! |---|---|
//! | [`Store::memory`] | `add`, `search`, `list`, `delete` |
//! | [`Store::task`] | `create`, `update`, `get`, `list` |
//! | [`Store::log`] | `append`, `tail` |
//! | [`Store::approval`] | `remember`, `find`, `list`, `forget`; `record`, `history` |
//! | [`Store::token`] | `add`, `find`, `list`, `revoke` |
//! | [`Store::session`] | `open`, `rename`, `begin_turn`, `finish_turn`, `history`, `turns`, `list` |
//! | [`Store::ledger`] | `reserve` → `settle` or `release`; `lines`, `history`, `spend`, `totals`; `set_cap`, `clear_cap`, `caps`; `recover` |
//!
//! Errors are one enum per group or operation; a broken limit is [`invalid::Invalid`], which names
//! the argument.

pub mod approval;
mod column;
mod database;
mod id;
pub mod invalid;
pub mod ledger;
pub mod log;
pub mod memory;
mod owner;
mod schema;
pub mod session;
pub mod task;
pub mod token;

pub use database::{DatabaseError, OpenError, Store};
pub use invalid::Invalid;
pub use owner::OwnerId;
