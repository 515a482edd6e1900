//! The functions that a guest calls during a turn, called directly. Time is the test's own
//! (`start_paused`): nothing here sleeps for real.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod bench;
mod emit;
mod input;
mod permit;
mod wait;
