//! The control socket: what a process that runs agents shows of them, and lets others do to them.
//!
//! Why: an agent runs in one terminal and its user sits at another. `run` opens a socket, `ps` and
//! `attach` connect to it. The protocol is public: `docs/control.md`.
//!
//! The owner of a session holds a [`Seat`]: it is the only one who writes the session's record, and
//! it never waits for those who read it. Questions go through the session's [`Desk`]. This crate
//! knows neither guests nor models nor storage; it never prints.
//!
//! Without Unix sockets there is the board and nobody to look at it: no server, no client.

mod board;
mod desk;
mod feed;
mod notes;
pub mod protocol;

#[cfg(unix)]
mod client;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod methods;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod survey;
#[cfg(unix)]
pub mod terminal;

pub use board::{Board, Opening, Seat, Take};
#[cfg(unix)]
pub use client::{Client, ClientError, Incoming};
pub use desk::{AnswerError, Attendance, Desk};
#[cfg(unix)]
pub use folder::FolderError;
pub use notes::Note;
#[cfg(unix)]
pub use server::{Server, StartError};
#[cfg(unix)]
pub use survey::{Found, Survey, survey};
