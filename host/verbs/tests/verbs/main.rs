//! Every verb through the function that a guest calls, on an in-memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod approvals;
mod ask;
mod bench;
mod budget;
mod log;
mod memory;
mod socket;
mod task;
