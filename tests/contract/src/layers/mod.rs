//! Which crate may depend on which. Called by the repository's tests.
//!
//! `crates` reads what there is from cargo, `rules` holds the layers as a table and judges.

mod crates;
mod rules;

pub use crates::{Crate, Dependency, Kind, read};
pub use rules::violations;
