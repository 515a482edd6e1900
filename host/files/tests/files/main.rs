//! The interface that a guest calls, on real directories, under rules.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]
#![cfg(unix)]

mod ask;
mod bench;
mod calls;
#[cfg(target_os = "linux")]
#[allow(clippy::expect_used, dead_code, reason = "another test program's, which needs more of it")]
#[path = "../../../ninep/tests/files/client.rs"]
mod client;
mod share;
mod tricks;
