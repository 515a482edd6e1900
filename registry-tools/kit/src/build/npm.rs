//! JavaScript: npm installs what the project names, its own `build` script makes the component.
//!
//! The script is called with `--out FILE`. It is the author's: another bundler or engine is a change
//! in the project, not here.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::process::run;
use super::{BuildError, COMPONENT_MAX_BYTES, Options, target_file};
use crate::files;

const INSTALL: &str = "install Node.js 20 or newer, with npm, from https://nodejs.org";
const FIX_INSTALL: &str = "check the connection to the npm registry, and package.json";
const FIX_BUILD: &str = "read the message above; package.json's `build` script gets `--out FILE`";
/// A lock file of a large project.
const LOCK_MAX_BYTES: u64 = 64 << 20;

pub fn build(folder: &Path, options: &Options, note: &dyn Fn(&str)) -> Result<Vec<u8>, BuildError> {
    if !is_installed(folder) {
        note("npm install");
        let mut npm = Command::new("npm");
        // Not `npm ci`: it refuses a lock file without optional packages of foreign platforms.
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        if options.locked {
            npm.arg("--no-save");
        }
        run(npm.current_dir(folder), INSTALL, FIX_INSTALL)?;
    }
    note("npm run build");
    let made = target_file(folder)?;
    let mut npm = Command::new("npm");
    npm.args(["run", "--silent", "build", "--", "--out"]).arg(&made).current_dir(folder);
    run(&mut npm, INSTALL, FIX_BUILD)?;
    Ok(files::read(&made, COMPONENT_MAX_BYTES)?)
}

/// Whether everything that the lock file names is installed in its version; npm keeps a list of what
/// it installed.
fn is_installed(folder: &Path) -> bool {
    let read = |path: &str| -> Option<Value> {
        let text = files::read_text(&folder.join(path), LOCK_MAX_BYTES).ok()?;
        serde_json::from_str(&text).ok()
    };
    let lists = (read("package-lock.json"), read("node_modules/.package-lock.json"));
    let (Some(wanted), Some(installed)) = lists else { return false };
    covers(&wanted, &installed)
}

fn covers(wanted: &Value, installed: &Value) -> bool {
    let Some(wanted) = wanted["packages"].as_object() else { return false };
    wanted
        .iter()
        .filter(|(path, package)| !path.is_empty() && package["optional"] != true)
        .all(|(path, package)| installed["packages"][path]["version"] == package["version"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_installed_is_compared_by_version() {
        let wanted = json!({"packages": {
            "": {"name": "p"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/b": {"version": "2.0.0", "optional": true},
        }});
        let installed =
            |version: &str| json!({"packages": {"node_modules/a": {"version": version}}});
        assert!(covers(&wanted, &installed("1.0.0")));
        assert!(!covers(&wanted, &installed("1.0.1")));
        assert!(!covers(&wanted, &json!({})));
        assert!(!covers(&json!({}), &installed("1.0.0")));
    }
}
