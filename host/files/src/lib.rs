//! `wasi:filesystem` under the agent's rules on paths.
//!
//! wasmtime-wasi keeps a guest inside of its directories; it knows no rules. This crate stands in
//! front of it: every call that names a path is resolved to the place that it means, links and all,
//! that place is checked ([`Guard`]), and then wasmtime-wasi does the call. What an open handle
//! points to was checked when it was opened. Without rules on paths nothing is resolved and every
//! call goes straight through.
//!
//! The session makes one [`Guard`] and links [`add_to_linker`] over wasmtime-wasi's own. A machine reaches
//! the same workspace over 9p: [`Guard::of_share`] is those rules for `ninep`. This crate
//! must never open a file for a guest itself, and never let through what it could not resolve.
//!
//! What it does not do: names, sizes and times can be seen (`stat`, the list of a directory that may
//! be read); a second hard link that is there already is another file; and what other processes do to
//! the directories between the check and the call is noticed for opened files only.

mod guard;
mod handle;
mod host;
mod resolve;
mod share;

pub use guard::{ENTRIES_MAX, Guard, GuardError};
pub use host::{Files, FilesView, add_to_linker};
