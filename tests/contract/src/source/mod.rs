//! What a crate's own code names: the rules that no manifest shows. Called by the repository's
//! tests.
//!
//! `tokens` finds the names in one file, `files` follows its modules, `rules` judges. Code for tests
//! is left out, and so are comments and strings.

mod files;
mod rules;
mod tokens;

pub use rules::violations;
