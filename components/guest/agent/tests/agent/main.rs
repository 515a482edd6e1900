//! The real program, natively: a host that speaks the protocol over a socket, real commands, a real tmux.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod commands;
mod connections;
mod endings;
mod flow;
mod host;
mod supervise;
mod terminals;
mod windows;
