//! Python: pip installs what the project names into a folder of its own, the project's `build.py`
//! makes the component.
//!
//! A folder (`pip install --target`), not a virtual environment: some systems keep those in a package
//! of its own, and nothing here needs more than a path.

use std::path::Path;
use std::process::Command;

use super::process::run;
use super::{BuildError, COMPONENT_MAX_BYTES, target_file};
use crate::files;

const PACKAGES: &str = "packages";
const REQUIREMENTS: &str = "requirements.txt";
const INSTALL: &str = "install Python 3.10 or newer, with pip, from https://www.python.org";
const FIX_INSTALL: &str = "check the connection to the Python package index, requirements.txt, and that `python3 -m pip` runs";
const FIX_BUILD: &str = "read the message above; build.py gets `--out FILE`";
const REQUIREMENTS_MAX_BYTES: u64 = 1 << 20;

pub fn build(folder: &Path, note: &dyn Fn(&str)) -> Result<Vec<u8>, BuildError> {
    let requirements = folder.join(REQUIREMENTS);
    let wanted = files::read_text(&requirements, REQUIREMENTS_MAX_BYTES)?;
    let packages = folder.join(PACKAGES);
    if !is_installed(&wanted, &packages) {
        note("python3 -m pip install");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"])
            .arg("--target")
            .arg(&packages)
            .arg("--requirement")
            .arg(&requirements)
            .current_dir(folder);
        run(&mut pip, INSTALL, FIX_INSTALL)?;
    }
    note("python3 build.py");
    let made = target_file(folder)?;
    let mut python = Command::new("python3");
    python.arg("build.py").arg("--out").arg(&made).env("PYTHONPATH", &packages);
    python.current_dir(folder);
    run(&mut python, INSTALL, FIX_BUILD)?;
    Ok(files::read(&made, COMPONENT_MAX_BYTES)?)
}

/// Whether every line is a package in an exact version that lies there.
fn is_installed(requirements: &str, packages: &Path) -> bool {
    let lines = requirements.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut lines = lines.filter(|line| !line.is_empty());
    lines.all(|line| {
        let Some((name, version)) = line.split_once("==") else { return false };
        let name = name.trim().replace('-', "_").to_lowercase();
        packages.join(format!("{name}-{}.dist-info", version.trim())).is_dir()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_versions_are_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("componentize_py-0.25.1.dist-info")).unwrap();
        for (requirements, expected) in [
            ("componentize-py==0.25.1\n", true),
            ("# a note\ncomponentize-py == 0.25.1 # why\n", true),
            ("componentize-py==0.25.2", false),
            ("componentize-py", false),
            ("componentize-py==0.25.1\nother==1", false),
        ] {
            assert_eq!(is_installed(requirements, folder.path()), expected, "{requirements}");
        }
    }
}
