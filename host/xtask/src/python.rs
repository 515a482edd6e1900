//! Python components: their packages are installed, and they are built, in a copy below the cache.
//! Called by `components`.
//!
//! Packages go into a folder of their own (`pip install --target`), not into a virtual environment:
//! Debian keeps those in a package that is often missing, and nothing here needs more than a path.

use std::path::Path;

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
    process::run(
        process::command("python3")
            .arg("build.py")
            .arg("--wit")
            .arg(settings.wit())
            .arg("--out")
            .arg(output)
            .env("PYTHONPATH", &packages)
            .current_dir(copy),
        "read the message above; the sources are in components/",
    )
}
