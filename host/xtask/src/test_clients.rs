//! Clients that others publish, for the tests that talk to the endpoint as their users do. They are
//! installed from `tests/e2e/clients` at exact versions, into the cache like the packages of
//! components. Called by `checks` and `setup`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::npm;
use crate::python;
use crate::settings::Settings;

const NAME: &str = "test-clients";
/// What the tests run, of npm and of Python. Which package holds a Node.js that is new enough for pi
/// depends on the platform: the manifest names one for each, and npm takes the one that fits.
const NPM: [&str; 2] = ["openai/index.js", "@earendil-works/pi-coding-agent/dist/bundle/cli.js"];
const PYTHON: [&str; 2] = ["openai/__init__.py", "anthropic/__init__.py"];

/// Variables that tell the tests where the packages are, and the folders.
pub type Variables = [(&'static str, PathBuf); 2];

/// Installs them unless they are there.
pub fn install(settings: &Settings) -> Result<Variables> {
    let source = settings.root.join("tests/e2e/clients");
    let npm = npm::packages(settings, NAME, &source)?;
    check("npm", &npm, &NPM)?;
    let python = python::packages(settings, NAME, &source)?;
    check("pip", &python, &PYTHON)?;
    Ok([("XPRESSCLAW_TEST_CLIENTS_NPM", npm), ("XPRESSCLAW_TEST_CLIENTS_PYTHON", python)])
}

fn check(program: &str, packages: &Path, files: &[&str]) -> Result<()> {
    for file in files {
        ensure!(
            packages.join(file).is_file(),
            "{program} installed no {file}; fix: remove {}",
            packages.display()
        );
    }
    Ok(())
}
