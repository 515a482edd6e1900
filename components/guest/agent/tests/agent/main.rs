//! The real program, natively: a host that speaks the protocol over a socket, real commands, a real tmux.

mod commands;
mod connections;
mod endings;
mod flow;
mod host;
mod supervise;
mod terminals;
mod windows;
