//! Benchmarks: sets up what they compare against and becomes the `bench` binary of the host
//! workspace. The peers are installed for benchmarks only.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::host;
use crate::process;
use crate::settings::Settings;
use crate::stamp::{self, Inputs};

/// The same version of pi that our component is made from.
const PEER_PI: &str = "@earendil-works/pi-coding-agent@0.87.1";
/// A Node.js that pi 0.87 runs on; the system's may be older.
const PEER_NODE: &str = "node@22.23.3";

struct Peers {
    pi: PathBuf,
    node: PathBuf,
}

/// `arguments`: the benchmark's name and what it takes.
pub fn run(settings: &Settings, arguments: &[OsString]) -> Result<()> {
    if arguments.is_empty() {
        bail!("which benchmark? fix: cargo xtask bench <name>, or --help for their names");
    }
    host::prepare(settings, &["xpressclaw", "bench"])?;
    let peers = install_peers(settings)?;
    let mut bench = process::command(settings.binary("bench"));
    bench
        .args(arguments)
        .env("XPRESSCLAW_PEER_PI", &peers.pi)
        .env("XPRESSCLAW_PEER_NODE", &peers.node)
        .env("XPRESSCLAW_BINARY", settings.binary("xpressclaw"));
    host::add_variables(&mut bench, settings);
    process::become_program(&mut bench, "read the compiler's message above")
}

fn install_peers(settings: &Settings) -> Result<Peers> {
    let stamp = Inputs::new("peers 1").text(PEER_PI).text(PEER_NODE).stamp();
    let dir = settings.cache.join("peers").join(&stamp);
    let modules = dir.join("node_modules");
    stamp::ensure(&modules, &stamp, &settings.lock("peers"), || {
        let mut npm = process::command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
            .arg(&dir)
            .args([PEER_PI, PEER_NODE]);
        process::run(&mut npm, "check the connection to the npm registry, then try again")
    })?;
    let found = |path: &str| {
        let path = Path::new(&modules).join(path);
        ensure!(
            path.is_file(),
            "npm installed no {}; fix: remove {}",
            path.display(),
            dir.display()
        );
        Ok(path)
    };
    Ok(Peers {
        pi: found("@earendil-works/pi-coding-agent/dist/cli.js")?,
        node: found("node/bin/node")?,
    })
}
