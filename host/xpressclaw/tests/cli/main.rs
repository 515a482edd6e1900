//! The real binary, command by command: what it prints, what it refuses, what it ends with.
//!
//! Each test has a home of its own; nothing of the machine's configuration reaches it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agents;
mod approvals;
mod budget;
mod doctor;
mod errors;
mod harness;
mod home;
mod hub;
mod json;
mod logs;
mod memory;
mod model;
mod pull;
#[cfg(unix)]
mod running;
mod tasks;
