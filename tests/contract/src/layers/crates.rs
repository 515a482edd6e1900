//! The crates of the repository, as cargo sees them. Called by the repository's tests.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One package of one of the repository's workspaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    pub name: String,
    /// From the repository's root, with slashes, e.g. `host/domain`.
    pub folder: String,
    pub dependencies: Vec<Dependency>,
}

/// A line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
}

/// When a dependency is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    /// For tests and examples only.
    Development,
}

/// Asks `cargo` for the packages of the workspace at `manifest` (from `root`). Offline, and without
/// resolving anything, so it needs no lock file and no registry.
pub fn read(cargo: &Path, root: &Path, manifest: &str) -> Result<Vec<Crate>> {
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root.join(manifest))
        .output()
        .with_context(|| format!("cannot run {}", cargo.display()))?;
    if !output.status.success() {
        bail!("cargo metadata on {manifest}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let root = root.canonicalize().with_context(|| format!("no folder {}", root.display()))?;
    parse(&serde_json::from_slice(&output.stdout)?, &root)
}

fn parse(metadata: &Value, root: &Path) -> Result<Vec<Crate>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(|package| parse_package(package, root)).collect()
}

fn parse_package(package: &Value, root: &Path) -> Result<Crate> {
    let name = text(package, "name")?;
    let manifest = text(package, "manifest_path")?;
    let folder = Path::new(&manifest).parent().unwrap_or(root);
    let folder = folder
        .strip_prefix(root)
        .with_context(|| format!("{manifest} is not below {}", root.display()))?;
    let folder: Vec<_> = folder.iter().map(|part| part.to_string_lossy()).collect();
    let dependencies = package["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|dependency| {
            let kind = match dependency["kind"].as_str() {
                None => Kind::Normal,
                Some("build") => Kind::Build,
                Some("dev") => Kind::Development,
                Some(other) => bail!("{name} has a dependency of the unknown kind {other}"),
            };
            Ok(Dependency { name: text(dependency, "name")?, kind })
        })
        .collect::<Result<_>>()?;
    Ok(Crate { name, folder: folder.join("/"), dependencies })
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str();
    text.map(str::to_owned).with_context(|| format!("cargo metadata names no `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_with_the_kinds_of_its_dependencies() {
        let root = Path::new("/r");
        let package = serde_json::json!({ "packages": [{
            "name": "a",
            "manifest_path": "/r/host/a/Cargo.toml",
            "dependencies": [
                { "name": "n", "kind": null },
                { "name": "b", "kind": "build" },
                { "name": "d", "kind": "dev" },
            ],
        }]});
        let [found] = &parse(&package, root).unwrap()[..] else { panic!("one package") };
        assert_eq!((found.name.as_str(), found.folder.as_str()), ("a", "host/a"));
        let kinds: Vec<_> = found.dependencies.iter().map(|d| (d.name.as_str(), d.kind)).collect();
        assert_eq!(kinds, [("n", Kind::Normal), ("b", Kind::Build), ("d", Kind::Development)]);
        assert!(parse(&package, Path::new("/elsewhere")).is_err());
    }
}
