//! The host's end of the protocol with the agent inside a machine, over any stream of bytes.
//!
//! Why it exists: the doors of a session speak of processes that are read, written and waited for; the
//! agent speaks in frames over one port that all of them share. Called by whoever runs a machine, with the
//! port of its computer; nothing here knows wasmtime, a computer or a session.
//!
//! **What a guest can do to it.** Everything that is read may be hostile. A guest that breaks the protocol
//! (overruns a window, takes an id that is not free, answers what was not asked) ends the client with
//! [`Ended::Protocol`], and the caller is to end that machine. What is kept for it is bounded: for each
//! process and each connection one window in each direction, and one mailbox of what is to be asked.
//!
//! **What it must never do**: block in [`Client::start`], wait for a guest that does not read before it
//! reads from it, keep more of a stream than its window, believe a number, or lose what came before an end.

mod client;
mod connection;
mod error;
mod process;
mod shared;
mod state;
mod wire;

pub use machine_protocol::{
    Command, Exit, MAX_CONNECTIONS, MAX_PROCESSES, Program, Refusal, Signal, Size, Stream,
};

pub use self::client::{Client, OnConnection};
pub use self::connection::Connection;
pub use self::error::{Ended, ProcessError};
pub use self::process::Process;
pub use self::state::Chunk;
