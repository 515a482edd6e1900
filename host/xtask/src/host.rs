//! The host binary: built, and run with what was set up. Called by `run`, `x` and `bench`.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

use anyhow::Result;

use crate::components;
use crate::layout;
use crate::process;
use crate::settings::{Profile, Settings};
use crate::setup;

const FIX: &str = "read the compiler's message above";

/// Sets up, builds, and becomes `xpressclaw <arguments>`: the terminal, signals and the exit code
/// are the binary's own.
pub fn run<'a>(settings: &Settings, arguments: impl Iterator<Item = &'a OsStr>) -> Result<()> {
    let arguments: Vec<_> = arguments.collect();
    setup::base(settings)?;
    // Who runs one harness does not wait for the others, each of which has a toolchain of its own.
    let named = match arguments[..] {
        [command, harness, ..] if command == "run" && components::is_one(settings, harness)? => {
            vec![harness.to_owned()]
        }
        _ => Vec::new(),
    };
    components::build(settings, &named)?;
    setup::machine(settings)?;
    compile(settings, Profile::Development, &["xpressclaw"])?;
    let mut binary = process::command(settings.binary(Profile::Development, "xpressclaw"));
    binary.args(arguments);
    add_variables(&mut binary, settings);
    process::become_program(&mut binary, FIX)
}

/// Sets up and builds `packages` of the host workspace.
pub fn prepare(settings: &Settings, profile: Profile, packages: &[&str]) -> Result<()> {
    setup::base(settings)?;
    components::build(settings, &[])?;
    setup::machine(settings)?;
    compile(settings, profile, packages)?;
    if profile == Profile::Release && layout::renew(settings)? {
        compile(settings, profile, packages)?;
    }
    Ok(())
}

/// Builds `packages` of the host workspace.
pub fn compile(settings: &Settings, profile: Profile, packages: &[&str]) -> Result<()> {
    let mut cargo = cargo(settings, "build");
    if profile == Profile::Release {
        cargo.args(["--release", "--features", "xpressclaw/static-stdcxx"]);
        if let Some(folder) = layout::folder(settings) {
            std::fs::create_dir_all(&folder)?;
            cargo.env(layout::VARIABLE, folder);
        }
    }
    for package in packages {
        cargo.args(["--package", package]);
    }
    process::run_unsaid(&mut cargo, FIX)
}

/// A cargo on the host workspace.
pub fn cargo(settings: &Settings, command: &str) -> Command {
    let mut cargo = process::cargo();
    cargo.arg(command).current_dir(&settings.root).env("CARGO_TARGET_DIR", &settings.target);
    add_variables(&mut cargo, settings);
    cargo
}

/// Tells the host where components, models and the machine are, unless the user already does.
pub fn add_variables(command: &mut Command, settings: &Settings) {
    for (name, path) in [
        ("XPRESSCLAW_HARNESS_PATH", settings.components()),
        ("XPRESSCLAW_MODEL_PATH", settings.models()),
        ("XPRESSCLAW_MACHINE_PATH", settings.machine()),
    ] {
        if env::var_os(name).is_none() {
            command.env(name, path);
        }
    }
}
