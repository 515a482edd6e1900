//! The socket from outside: the protocol, what breaks it, and what a directory may hold.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bench;
mod folder;
mod hostile;
mod protocol;
mod questions;
mod terminal;
