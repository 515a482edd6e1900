//! Compatibility of the contract with what was last released. Called by the repository's tests and,
//! in turn: `snapshot` finds the release, `surface` lists what each side offers, `compare` finds the
//! changes, `verdict` says whether the version allows them.
//!
//! Versions follow semver below 1.0: 0.1.x to 0.1.y may add, 0.1.x to 0.2.0 may break.

mod compare;
mod snapshot;
mod surface;
mod verdict;

pub use compare::{Change, Effect, compare};
pub use snapshot::{Release, UNRELEASED, latest, record, render};
pub use surface::Surface;
pub use verdict::{Verdict, verdict};
