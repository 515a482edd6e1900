//! What a change must pass: formatting, lints and all tests of the four cargo workspaces and of
//! the JavaScript components. Called by people and by CI.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::components;
use crate::guest_programs;
use crate::host;
use crate::process::{self, on_path};
use crate::settings::Settings;
use crate::setup;
use crate::system;
use crate::test_authoring;
use crate::test_clients;
use crate::test_servers;

const TEST_FIX: &str = "read the failing test above";

/// xtask, the components and the programs of the machine: each a workspace of its own beside the host's.
fn side_manifests(settings: &Settings) -> [PathBuf; 3] {
    ["host/xtask/Cargo.toml", "components/Cargo.toml", "components/guest/Cargo.toml"]
        .map(|path| settings.root.join(path))
}

/// Formatting, then clippy with warnings denied.
pub fn lint(settings: &Settings) -> Result<()> {
    let manifests =
        || [settings.root.join("Cargo.toml")].into_iter().chain(side_manifests(settings));
    for manifest in manifests() {
        let mut cargo = host::cargo(settings, "fmt");
        cargo.args(["--all", "--check", "--manifest-path"]).arg(manifest);
        process::run(&mut cargo, "cargo fmt --all --manifest-path <the one above>")?;
    }
    // llama.cpp's build script runs for clippy, too.
    setup::base(settings)?;
    for manifest in manifests() {
        let mut cargo = host::cargo(settings, "clippy");
        cargo.args(["--workspace", "--all-targets", "--locked", "--manifest-path"]).arg(manifest);
        cargo.args(["--", "-D", "warnings"]);
        process::run(
            &mut cargo,
            "read the message above; an outdated Cargo.lock belongs in the change",
        )?;
    }
    Ok(())
}

/// All tests, the host's last: the output ends with the summary of their runner. `arguments` go to
/// that runner.
pub fn test(settings: &Settings, arguments: &[OsString]) -> Result<()> {
    setup::base(settings)?;
    system::install_for_tests(settings)?;
    components::build(settings, &[])?;
    setup::machine(settings)?;
    components::test(settings)?;
    guest_programs::test(settings)?;
    let mut xtask = host::cargo(settings, "test");
    xtask.args(["--quiet", "--manifest-path"]).arg(settings.root.join("host/xtask/Cargo.toml"));
    process::run_inherited(&mut xtask, TEST_FIX)?;
    let servers = test_servers::install(settings)?;
    let clients = test_clients::install(settings)?;
    let authoring = test_authoring::variables(settings)?;
    for mut runner in runners(settings, arguments) {
        runner.env(test_servers::VARIABLE, &servers).envs(clients.clone());
        runner.envs(authoring.clone());
        process::run_inherited(&mut runner, TEST_FIX)?;
    }
    Ok(())
}

/// nextest where it is installed; it knows no documentation tests, so cargo runs those before.
fn runners(settings: &Settings, arguments: &[OsString]) -> Vec<Command> {
    let cargo = |words: &[&str]| {
        let (command, rest) = words.split_first().unwrap_or((&"test", &[]));
        let mut cargo = host::cargo(settings, command);
        cargo.args(rest).arg("--workspace");
        cargo
    };
    let mut all = if on_path("cargo-nextest").is_some() {
        vec![cargo(&["test", "--doc"]), cargo(&["nextest", "run", "--no-fail-fast"])]
    } else {
        vec![cargo(&["test", "--no-fail-fast"])]
    };
    if let Some(last) = all.last_mut() {
        last.args(arguments);
    }
    all
}
