//! The engine with small components, written here as text.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod bench;
mod cache;
mod cpu;
mod memory;
mod pool;
