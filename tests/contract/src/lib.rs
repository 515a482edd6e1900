//! What holds the repository to its contract and its layers.
//!
//! Each module is a check as a plain function: what it looks at goes in, violations come out, each
//! naming its place and the fix. Unit tests feed every check something wrong; `tests/repository`
//! feeds it the repository. Nothing ships this crate, and no check changes a file unless its test
//! runs with `UPDATE_EXPECTED=1`.

pub mod compat;
pub mod component;
pub mod documented;
pub mod expected;
pub mod layers;
pub mod names;
pub mod reference;
pub mod source;
pub mod text;
pub mod tree;
pub mod wit;
