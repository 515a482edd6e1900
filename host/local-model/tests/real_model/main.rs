//! The crate against a real model: see `common` for where it is found.

// The functions around the tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chat;
mod common;
mod together;
mod tools;
