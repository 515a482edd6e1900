//! The doors to a machine, without a guest: each sentence of `wit/machine` on the image that is shipped.
//!
//! A test is a promise of the contract, or a few that one machine can show; it starts that machine itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod approvals;
mod bench;
mod cancelled;
mod commands;
mod ends;
mod image;
mod input;
mod kills;
mod output;
mod person;
mod pty;
mod slots;
mod terminal;
mod watchers;
mod without;
