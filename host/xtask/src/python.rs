//! Python components: their packages are installed, and they are built, in a copy below the cache.
//! Called by `components` and `test_clients`.
//!
//! Packages go into a folder of their own (`pip install --target`), not into a virtual environment:
//! Debian keeps those in a package that is often missing, and nothing here needs more than a path.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::settings::Settings;
use crate::stamp::{Inputs, ensure, remove};
use crate::working_copy::refresh;

/// What decides which packages are installed: exact versions.
const REQUIREMENTS: &str = "requirements.txt";
/// Where they are installed, beside the sources.
const PACKAGES: &str = "packages";
const FIX: &str = "check the connection to the Python package index, then try again";

/// Whether the component in `dir` is written in Python.
pub fn is_python(dir: &Path) -> bool {
    dir.join("pyproject.toml").is_file()
}

/// Builds the component in `source` into the file `output`.
pub fn build(settings: &Settings, name: &str, source: &Path, output: &Path) -> Result<()> {
    let copy = working_copy(settings, name, source)?;
    process::run(
        process::command("python3")
            .arg("build.py")
            .arg("--wit")
            .arg(settings.wit())
            .arg("--out")
            .arg(output)
            .env("PYTHONPATH", copy.join(PACKAGES))
            .current_dir(copy),
        "read the message above; the sources are in components/",
    )
}

/// The folder of the packages that the requirements in `source` name, installed.
pub fn packages(settings: &Settings, name: &str, source: &Path) -> Result<PathBuf> {
    let _held = crate::stamp::hold(&settings.lock(name))?;
    Ok(working_copy(settings, name, source)?.join(PACKAGES))
}

/// A copy of `source` with its packages installed. The caller holds the component's lock.
fn working_copy(settings: &Settings, name: &str, source: &Path) -> Result<PathBuf> {
    let requirements = source.join(REQUIREMENTS);
    let inputs = Inputs::new("pip install 1")
        .path(&requirements)
        .with_context(|| format!("{name} needs {REQUIREMENTS}, which names its packages"))?;
    let stamp = inputs.stamp();
    let copy = settings.cache.join("python").join(format!("{name}-{stamp}"));
    refresh(source, &copy, PACKAGES)?;
    let packages = copy.join(PACKAGES);
    ensure(&packages, &stamp, &settings.lock(&format!("python-{name}")), || {
        remove(&packages)?; // half an installation is none
        let mut pip = process::command("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--only-binary", ":all:", "--target"])
            .arg(&packages)
            .arg("--requirement")
            .arg(&requirements);
        process::run(&mut pip, FIX)
    })?;
    Ok(copy)
}
