//! Pushes components to OCI registries and pulls them, past a gate, into the cache.
//!
//! The binary calls it. There is one way to get a component out: [`Store::open`], which asks the
//! [`Gate`] first, at each use. A registry is asked only over HTTPS, or over plain HTTP on loopback
//! and where the configuration says so; credentials go to the registry they are for, and to the
//! token service it names, and to nowhere that it redirects to.
//!
//! It must never read the environment, print, run a component, or keep what it did not verify.

mod chunked;
mod client;
mod credential;
mod error;
mod gate;
mod keep;
mod lock;
mod options;
mod push;
mod referrers;
mod request;
mod store;
mod token;

pub use chunked::{Chunked, push_chunked};
pub use client::{Answered, Client};
pub use credential::{Credential, Secret, Sources};
pub use error::RegistryError;
pub use gate::{Admission, Asked, Gate, Refused, Related};
pub use keep::belongings;
pub use lock::{LOCK_FILE, Lock, LockError};
pub use options::Options;
pub use push::{Pushed, push};
pub use store::{Network, Opened, Progress, Store};
