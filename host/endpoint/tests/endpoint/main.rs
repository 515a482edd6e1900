//! The endpoint before a real pipeline and a real store, with a provider that the tests play.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod bench;
mod door;
mod golden;
mod wire;
