//! Servers of all kinds, over both transports.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod http;
mod odd;
mod place;
