//! Support for the end-to-end tests: the program as a user has it, and the world around it.
//!
//! Why: everything below this layer is tested with parts of the program; these tests see only what
//! a user sees: arguments, the two output streams, the exit code, files, a terminal, a server.
//! Called by the files in `tests/`. It must never use the program's own crates: what a
//! user cannot see is no business of these tests.
//!
//! Support panics: a test has nobody else to report to. Nothing waits without a deadline.
//!
//! `cargo test --workspace` builds the executable; for this package alone build it first:
//! `cargo build -p xpressclaw && cargo test -p e2e`, with `XPRESSCLAW_HARNESS_PATH` naming the
//! folder of the built components (`cargo xtask test` does all of that).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking, and says so where it matters"
)]

pub mod answer;
mod calls;
pub mod client;
mod control;
mod endpoint;
mod files;
pub mod http;
mod ledger;
mod place;
mod program;
mod reply;
mod run;
mod server;
mod shape;
mod tape;
mod terminal;

use std::time::Duration;

pub use answer::Answer;
pub use calls::{Ended, bash, call};
pub use client::{Client, How, Seen};
pub use endpoint::{Endpoint, served};
pub use files::FileServer;
pub use ledger::Spend;
pub use place::{KEY, Place};
pub use program::{cache, compiled, executable, guest, harnesses, machine, models, test_server};
pub use reply::Reply;
pub use run::{Done, Run, Running, wait};
pub use server::{Play, Request, Server};
pub use shape::Family;
pub use tape::Tape;
pub use terminal::{CTRL_C, CTRL_D, Terminal};

/// The longest wait for anything but a compilation. A passing test never comes near it.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The longest wait for the compilation of a harness: an engine like StarlingMonkey's takes half a
/// minute of two idle processors, and tests run on busy ones.
const COMPILE_DEADLINE: Duration = Duration::from_secs(600);
