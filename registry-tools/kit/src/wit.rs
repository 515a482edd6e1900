//! The contract that this program speaks, as text and as packages. It is the repository's `wit/`,
//! put into the program when it is built, so that a project made by it needs no network and is of
//! one version with its host. Called by `template`, `check` and `harness wit`.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, DirEntry, include_dir};
use wit_parser::{PackageId, Resolve, SourceMap};

use crate::files::{self, FileError};

static CONTRACT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../wit");

/// The package whose worlds a harness is built for: the root of a project's `wit/`.
const ROOT: &str = "harness";
/// Foreign packages, one a file.
const FOREIGN: &str = "deps";
/// Our packages that it names. `released` is history and no part of the contract.
const NAMED: [&str; 5] = ["base", "llm", "xclaw", "tools", "machine"];
const NAMESPACE: &str = "xpressclaw";

#[derive(Debug, thiserror::Error)]
pub enum WitError {
    #[error(transparent)]
    File(#[from] FileError),
    /// A fault of this program: what it carries is checked when it is built.
    #[error("the contract of this program cannot be read: {0}")]
    Broken(String),
}

/// A package of the contract in its binary form, as registries keep it.
#[derive(Debug, Clone)]
pub struct Package {
    /// Like `xpressclaw:harness`.
    pub name: String,
    pub version: String,
    pub bytes: Vec<u8>,
}

/// The contract's files in the layout that all tools read: the package `xpressclaw:harness` at the
/// root, every package that it names below `deps/`.
pub fn files() -> Vec<(String, &'static [u8])> {
    let mut files = Vec::new();
    let mut add = |folder: &str, to: &str| {
        let entries = CONTRACT.get_dir(folder).map_or(&[][..], Dir::entries);
        for entry in entries {
            let DirEntry::File(file) = entry else { continue };
            let name = file.path().file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".wit") {
                files.push((format!("{to}{name}"), file.contents()));
            }
        }
    };
    add(ROOT, "");
    add(FOREIGN, "deps/");
    for name in NAMED {
        add(name, &format!("deps/{name}/"));
    }
    files.sort();
    files
}

/// Writes the contract's files to `folder`. What else is there stays.
pub fn write(folder: &Path) -> Result<(), WitError> {
    for (name, content) in files() {
        files::write(&folder.join(name), content)?;
    }
    Ok(())
}

/// The contract, parsed; the package is `xpressclaw:harness`.
pub fn resolve() -> Result<(Resolve, PackageId), WitError> {
    // One group of files is one package: those of a folder, and each foreign one.
    let mut groups = BTreeMap::<String, SourceMap>::new();
    for (name, content) in files() {
        let text = std::str::from_utf8(content).map_err(|error| broken(&error))?;
        let group = match name.strip_prefix("deps/") {
            Some(below) => below.split('/').next().unwrap_or(below),
            None => "",
        };
        groups.entry(group.to_owned()).or_default().push(Path::new(&name), text);
    }
    let mut parsed = Vec::new();
    for (_, sources) in groups {
        parsed.push(sources.parse().map_err(|(sources, error)| broken(&error.render(&sources)))?);
    }
    // The root sorts first: its group has no name.
    let root = parsed.remove(0);
    let mut resolve = Resolve::new();
    let root = resolve.push_groups(root, parsed).map_err(|error| broken(&error))?;
    Ok((resolve, root))
}

/// Every package of ours, in the binary form that registries keep and `wkg` reads; foreign ones
/// have their own publishers.
pub fn packages() -> Result<Vec<Package>, WitError> {
    let (resolve, _) = resolve()?;
    let mut packages = Vec::new();
    for (id, package) in &resolve.packages {
        if package.name.namespace != NAMESPACE {
            continue;
        }
        let bytes = wit_component::encode(&resolve, id).map_err(|error| broken(&error))?;
        let version = package.name.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = format!("{NAMESPACE}:{}", package.name.name);
        packages.push(Package { name, version, bytes });
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The version of the contract.
pub fn version() -> Result<String, WitError> {
    let (resolve, root) = resolve()?;
    let version = resolve.packages[root].name.version.as_ref();
    version.map(ToString::to_string).ok_or_else(|| broken(&"it has no version"))
}

fn broken(error: &dyn std::fmt::Display) -> WitError {
    WitError::Broken(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_whole() {
        let (resolve, root) = resolve().unwrap();
        assert!(resolve.packages[root].worlds.contains_key("harness-sync"));
        assert_eq!(
            version().unwrap(),
            resolve.packages[root].name.version.clone().unwrap().to_string()
        );
    }

    /// What `write` leaves is what tools of other projects read.
    #[test]
    fn its_folder_is_read_by_anybody() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let mut resolve = Resolve::new();
        let mut group = SourceMap::default();
        group.push_dir(folder.path()).unwrap();
        assert_eq!(group.parse().map_err(|(_, error)| error).unwrap().main.name.name, ROOT);
        assert!(resolve.push_dir(folder.path()).is_ok());
    }

    #[test]
    fn packages_decode_to_what_they_are() {
        let packages = packages().unwrap();
        let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        for name in ["xpressclaw:base", "xpressclaw:harness", "xpressclaw:llm"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for package in &packages {
            let decoded = wit_component::decode(&package.bytes).unwrap();
            let name = &decoded.resolve().packages[decoded.package()].name;
            assert_eq!(format!("{}:{}", name.namespace, name.name), package.name);
            assert_eq!(name.version.as_ref().unwrap().to_string(), package.version);
        }
        let again = super::packages().unwrap();
        assert!(packages.iter().zip(&again).all(|(one, other)| one.bytes == other.bytes));
    }
}
