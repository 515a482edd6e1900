//! Who says which places of the folder a guest may use.
//!
//! Implemented by whoever knows the rules, and asked by `server` before each call that would read or
//! change something. Without a guard everything below the folder may be used.

use std::fmt;
use std::path::Path;

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Contents are read, or entries listed.
    Read,
    /// Contents or attributes change, or the entry is made, moved or removed.
    Write,
}

/// Says what may be used.
///
/// A guest waits in a system call meanwhile, and a thread with it: an implementation decides by what it
/// knows and waits for nobody.
pub trait Guard: fmt::Debug + Send + Sync {
    /// Whether the guest may do this at `path`: from the folder, without links and `..`, empty for the
    /// folder itself. A name may be any bytes. One message may ask for many places, and for one place
    /// more than once; what is refused is not done at any of them.
    fn may(&self, path: &Path, access: Access) -> bool;
}
