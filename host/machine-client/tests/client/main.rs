//! The client against an agent that says what a test wants.
//!
//! Time is paused: it passes only when every task waits, so a deadline is reached at once by what hangs,
//! and "nothing comes" is seen without waiting.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod agent;
mod connections;
mod endings;
mod flow;
mod hostile;
mod interleavings;
mod starts;
