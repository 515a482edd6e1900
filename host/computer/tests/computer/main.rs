//! Computers on their threads, with guests of a few instructions.
//!
//! The module is the real one, built by `cargo xtask components`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test program")]

#[path = "../../../riscv/tests/support/asm.rs"]
mod asm;
mod bench;
mod bugs;
mod ends;
mod memory;
mod port;
mod programs;
mod share;
mod turns;
mod virtio;
