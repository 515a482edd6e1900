//! The crate against a real model: see `common` for where it is found.

mod chat;
mod common;
mod tools;
