//! The order of a release's functions: what the main job runs lies side by side. Called after a
//! release was built; the reason is told in `host/bench/src/layout/mod.rs`.
//!
//! The binary is linked with the last order, traced, and linked again if other functions run now. So a
//! build without changes is linked once or not at all.

use std::env::consts;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::host;
use crate::process;
use crate::settings::{Profile, Settings};

/// Read by the binary's build script.
pub const VARIABLE: &str = "XPRESSCLAW_LAYOUT";

/// Where map and order are. `None` where the order cannot be told: Rust links with LLD, whose option it
/// is, on this platform alone.
pub fn folder(settings: &Settings) -> Option<PathBuf> {
    let known = (consts::OS, consts::ARCH) == ("linux", "x86_64");
    known.then(|| settings.cache.join("layout"))
}

/// The order of a binary that was just built; whether it is to be linked again.
pub fn renew(settings: &Settings) -> Result<bool> {
    let Some(folder) = folder(settings) else { return Ok(false) };
    let order = folder.join("order");
    let read = || fs::read(&order).unwrap_or_default();
    let before = read();
    let mut bench = process::command(settings.binary(Profile::Release, "bench"));
    bench
        .arg("layout")
        .arg(folder.join("map"))
        .arg(&order)
        .env("XPRESSCLAW_BINARY", settings.binary(Profile::Release, "xpressclaw"));
    host::add_variables(&mut bench, settings);
    if let Err(error) = process::run(&mut bench, "see above") {
        // Where processes may not be traced: the binary is as good, and larger in memory.
        process::say(format_args!("functions stay in the order of their modules: {error:#}"));
    }
    Ok(read() != before)
}
