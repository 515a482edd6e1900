//! Hostile guests in real sessions: what they do is contained, said clearly, and does no harm to the
//! session beside them, which has a turn at the same time in the same process.
//!
//! The guest is `tests/guests/hostile`; what Rust cannot express is a core module, written here as
//! text. `cargo xtask test` builds the guests and sets the variable that names their folder.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod bench;
mod calls;
mod cancel;
mod end;
mod files;
mod large;
mod memory;
mod model;
mod models;
mod modules;
mod network;
mod prompts;
mod text;
mod time;
