//! The machine's kernel and root on two machines, ours and QEMU's, driven by the same client: where they
//! differ, one of them is wrong, and QEMU has run more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]
#![cfg(target_os = "linux")]

mod cases;
mod files;
#[path = "../doors/image.rs"]
mod image;
mod ours;
mod place;
mod qemu;
mod same;
mod terminals;
