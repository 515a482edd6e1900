//! JavaScript components: their npm packages are installed, and they are built and tested, in a
//! copy below the cache, so that the clone never holds a `node_modules`. Called by `components`,
//! `test_servers` and `test_clients`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::settings::Settings;
use crate::stamp::{Inputs, ensure};
use crate::working_copy::refresh;

/// What decides which packages are installed.
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];
/// Where npm installs them, beside the sources.
const PACKAGES: &str = "node_modules";
const FIX: &str = "check the connection to the npm registry, then try again";

/// Whether the component in `dir` is built by npm packages.
pub fn is_npm(dir: &Path) -> bool {
    dir.join("package.json").is_file()
}

/// Builds the component in `source` into the file `output`.
pub fn build(settings: &Settings, name: &str, source: &Path, output: &Path) -> Result<()> {
    let copy = working_copy(settings, name, source)?;
    process::run(
        process::command("node")
            .arg("build.mjs")
            .arg("--wit")
            .arg(settings.wit())
            .arg("--out")
            .arg(output)
            .current_dir(copy),
        "read the message above; the sources are in components/",
    )
}

/// Runs the component's own tests, if it brings any.
pub fn test(settings: &Settings, name: &str, source: &Path) -> Result<()> {
    let _held = crate::stamp::hold(&settings.lock(name))?;
    let copy = working_copy(settings, name, source)?;
    process::run_inherited(
        process::command("npm").args(["run", "test", "--if-present"]).current_dir(copy),
        "read the failing test above",
    )
}

/// The folder of the packages that the manifest in `source` names, installed.
pub fn packages(settings: &Settings, name: &str, source: &Path) -> Result<PathBuf> {
    let _held = crate::stamp::hold(&settings.lock(name))?;
    Ok(working_copy(settings, name, source)?.join(PACKAGES))
}

/// A copy of `source` with its packages installed. The caller holds the component's lock.
fn working_copy(settings: &Settings, name: &str, source: &Path) -> Result<PathBuf> {
    let mut inputs = Inputs::new("npm install 1");
    for manifest in MANIFESTS {
        inputs = inputs.path(&source.join(manifest)).with_context(|| {
            format!(
                "{name} needs {manifest}; fix: `npm install --package-lock-only` in {}",
                source.display()
            )
        })?;
    }
    let stamp = inputs.stamp();
    let copy = settings.cache.join("npm").join(format!("{name}-{stamp}"));
    refresh(source, &copy, PACKAGES)?;
    let lock = settings.lock(&format!("npm-{name}"));
    ensure(&copy.join(PACKAGES), &stamp, &lock, || {
        let mut npm = process::command("npm");
        // `npm install` keeps to the lock file, too; `npm ci` would refuse one that lacks optional
        // packages for foreign platforms, which some releases name and never published.
        npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg("--loglevel=error")
            .current_dir(&copy);
        process::run(&mut npm, FIX)
    })?;
    Ok(copy)
}
