//! What tests of `harness build` need of the languages' tools: the packages that shipped components
//! are built with, and the toolchain for Rust guests where the target is not installed. Called by
//! `checks`.

use std::ffi::OsString;

use anyhow::Result;

use crate::guest::{self, Target};
use crate::settings::Settings;
use crate::{npm, process, python};

/// Variables for the tests.
pub fn variables(settings: &Settings) -> Result<[(&'static str, OsString); 3]> {
    let component = |name: &str| settings.root.join("components").join(name);
    let npm = npm::packages(settings, "echo-js", &component("echo-js"))?;
    let python = python::packages(settings, "echo-python", &component("echo-python"))?;
    fetch_crates(settings)?;
    let guests = guest::toolchain(settings, Target::Component)?.as_variables();
    Ok([
        ("XPRESSCLAW_TEST_AUTHORING_NPM", npm.into()),
        ("XPRESSCLAW_TEST_AUTHORING_PYTHON", python.into()),
        ("XPRESSCLAW_TEST_GUEST_VARIABLES", guests.into()),
    ])
}

/// The crates that a new project in Rust is locked to: the test builds one without the network.
fn fetch_crates(settings: &Settings) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["fetch", "--quiet", "--locked", "--target", Target::Component.triple()]);
    cargo.arg("--manifest-path");
    cargo.arg(settings.root.join("registry-tools/kit/templates/rust/Cargo.toml"));
    process::run(&mut cargo, "check the connection to the crate registry")
}
