//! A folder of the host as a guest sees it: a server of 9P2000.L.
//!
//! Why it exists: the machine's workspace is an ordinary folder that both sides change, and Linux mounts
//! such a folder over 9p. Called by whoever runs a machine, once for each message that the guest puts in
//! the ring of its 9p device ([`Server::handle`]). It must never reach anything outside of the folder,
//! follow a link, open what is neither a file nor a directory, wait for anybody, or believe a number.
//!
//! A guest is hostile. Every message gets an answer, and what it may not do is an error number in it.
//!
//! **How the folder is kept.** A fid holds a descriptor of the very file it stands for (`O_PATH`), found
//! name by name from the folder's own descriptor with `openat2`: beneath it, no symbolic link, no magic
//! link. What is opened later is opened through that descriptor, so nobody can put another file in its
//! place meanwhile. Of the links that a guest makes the host stores the text and no more.
//!
//! **Whose files they are.** Everything looks as if it were root's, since the guest's users are nobody
//! here; a change of owner is accepted and forgotten. Permissions are real, without set-user-id and
//! set-group-id: what the guest leaves behind must give nobody on the host the rights of its user.
//!
//! **Rules.** Whoever serves the folder may name places that are not to be read or changed ([`Guard`]).
//! They cover contents, lists of directories and changes; that a file is there, its size, its times and
//! what a link says can be seen, as by programs in other sandboxes of this host.
//!
//! **Protocol.** The messages are those of Linux's `include/net/9p/9p.h` and of diod's description of
//! 9P2000.L; extended attributes are answered with "not supported".
//!
//! | module | what |
//! |---|---|
//! | `limits` | what a guest may have |
//! | `guard` | who says what a guest may use |
//! | `wire`, `message`, `protocol` | from bytes to requests, from answers to bytes |
//! | `name` | names of one entry, and paths of such names |
//! | `folder` | every system call that looks a name up |
//! | `fids` | what the guest has hold of |
//! | `locks` | advisory locks of all guests of a folder |
//! | `server` | what each message does |
//!
//! Linux only: elsewhere there is neither `O_PATH` nor `openat2`, and [`Export::open`] says so.

mod guard;
pub mod limits;

#[cfg(target_os = "linux")]
mod attributes;
#[cfg(target_os = "linux")]
mod export;
#[cfg(target_os = "linux")]
mod fids;
#[cfg(target_os = "linux")]
mod folder;
#[cfg(target_os = "linux")]
mod listing;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
mod message;
#[cfg(target_os = "linux")]
mod name;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(not(target_os = "linux"))]
mod elsewhere;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Export, Server};
#[cfg(target_os = "linux")]
pub use export::Export;
pub use guard::{Access, Guard};
#[cfg(target_os = "linux")]
pub use server::Server;

/// The folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be opened.
    #[error("cannot open the folder {}", folder.display())]
    Folder {
        /// Which.
        folder: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Files are opened through `/proc/self/fd`, which is not there.
    #[error("a workspace needs /proc: it is not mounted, or not the kernel's")]
    Proc,
    /// This system cannot keep a guest inside of a folder.
    #[error("a machine's workspace needs Linux")]
    System,
}
