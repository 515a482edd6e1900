//! The pipeline with an in-memory ledger and a provider whose every delta the test sends. Time is
//! the test's own (`start_paused`): nothing here sleeps for real.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod bench;
mod budget;
mod cancel;
mod door;
mod ends;
mod fake;
mod fit;
mod flow;
mod killed;
mod limit;
mod race;
mod retry;
mod windows;
