//! The interface that a guest calls, on real directories, under rules.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]
#![cfg(unix)]

mod ask;
mod bench;
mod calls;
mod tricks;
