//! See the module that both protocols share.

#[path = "../support/bad_input.rs"]
mod shared;
