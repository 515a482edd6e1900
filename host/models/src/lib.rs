//! Files of local models: which there are to have, how one gets here, which one is meant.
//!
//! Used by the binary's `model` command. Knows nothing of how a model is run; reads no
//! environment, prints nothing, and reports progress through a callback.
//!
//! What is decided here:
//! - nothing is kept whose SHA-256 was not known before its first byte arrived: from the
//!   catalogue, from the user, or, when the user says so, from the server itself (`trust`);
//! - a file has its name only when it is whole, verified and on the disk (`partial`);
//! - what was downloaded is not downloaded again: the rest is asked for under the condition that
//!   the file is still the same (`download`).
//!
//! It fails closed: a missing digest, a redirect to plain HTTP, an unknown size above the cap, or a
//! file in use is an error, never a warning.

mod catalogue;
mod client;
mod digest;
mod download;
mod error;
mod name;
mod partial;
mod reply;
mod route;
mod shelf;
mod space;
mod trust;

pub use catalogue::{Catalogue, Entry, Tools, catalogue};
pub use digest::{Digest, DigestError};
pub use download::{Download, Downloader, Event, Expected, Fetched, Options};
pub use error::PullError;
pub use name::{ModelName, NameError};
pub use route::{Mirror, RouteError};
pub use shelf::{Shelf, ShelfError};
