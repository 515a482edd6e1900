//! The agent and the host's end of its protocol together: what a session gets of real commands.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod commands;
mod endings;
mod machine;
mod terminals;
