//! The server as a client meets it: files, names, directories, locks, and clients that mean harm.
//!
//! Passes as root and as an ordinary user. `NINEP_ROUNDS` makes the random tests longer.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test program")]

mod client;
mod contents;
mod directories;
mod guarded;
mod guarded_random;
mod hostile;
mod locks;
mod model;
mod names;
mod noise;
mod ring;

use client::{Body, Client};
use ninep::Server;
use tempfile::TempDir;

/// A folder `inside` with something beside it that must stay out of reach.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inside")).unwrap();
    std::fs::write(folder.path().join("secret"), "outside").unwrap();
    folder
}

fn client(folder: &TempDir) -> Client {
    Client::new(Server::new(&folder.path().join("inside")).unwrap())
}
