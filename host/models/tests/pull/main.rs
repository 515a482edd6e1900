//! Downloads from a server on loopback that can do everything a server should not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broken;
mod common;
mod refused;
mod resumed;
mod server;
mod trusted;
mod whole;
