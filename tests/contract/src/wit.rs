//! The contract as parsed WIT. Called by every check of this crate that looks at `wit/`.
//!
//! One folder of `wit/` is one package; `deps` holds foreign packages, one a file, and `released`
//! snapshots, which are no part of the present contract.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use semver::Version;
use wit_parser::{PackageId, PackageName, Resolve, UnresolvedPackageGroup};

/// The namespace of our packages; all others are foreign.
pub const NAMESPACE: &str = "xpressclaw";
/// The package whose folder holds the worlds.
const WORLDS: &str = "harness";
const FOREIGN: &str = "deps";
const RELEASED: &str = "released";

/// Parsed and resolved WIT, ours and what it needs.
pub struct Contract {
    pub resolve: Resolve,
    /// Our packages, ordered by name.
    pub packages: Vec<PackageId>,
}

impl Contract {
    /// Parses the packages in the folders of `wit`.
    pub fn read(wit: &Path) -> Result<Self> {
        let mut folders = Vec::new();
        for path in entries(wit)? {
            if path.is_dir() && !path.ends_with(FOREIGN) && !path.ends_with(RELEASED) {
                folders.push(path);
            }
        }
        let mut main = None;
        let mut others = Vec::new();
        for folder in &folders {
            let group = UnresolvedPackageGroup::parse_dir(folder)
                .with_context(|| format!("cannot parse {}", folder.display()))?;
            match folder.ends_with(WORLDS) {
                true => main = Some(group),
                false => others.push(group),
            }
        }
        for path in entries(&wit.join(FOREIGN))? {
            if path.extension().is_some_and(|e| e == "wit") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let group = UnresolvedPackageGroup::parse(&path, &text)
                    .map_err(|(sources, error)| anyhow::anyhow!(error.render(&sources)))?;
                others.push(group);
            }
        }
        let main = main.with_context(|| format!("{} has no package `{WORLDS}`", wit.display()))?;
        let mut resolve = Resolve::new();
        if let Err(error) = resolve.push_groups(main, others) {
            let error = anyhow::Error::from(error);
            bail!("{} does not resolve: {}", wit.display(), resolve.render_error(&error));
        }
        let contract = Self::of(resolve);
        if contract.packages.len() != folders.len() {
            bail!(
                "{} has {} folders but {} packages named {NAMESPACE}:*; one folder is one package",
                wit.display(),
                folders.len(),
                contract.packages.len()
            );
        }
        Ok(contract)
    }

    /// Parses one text with all of its packages; `origin` names it in errors.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let mut resolve = Resolve::new();
        if let Err(error) = resolve.push_source(origin, text) {
            bail!("{origin} is no valid WIT: {}", resolve.render_error(&error));
        }
        Ok(Self::of(resolve))
    }

    fn of(resolve: Resolve) -> Self {
        let mut packages: Vec<_> = resolve
            .packages
            .iter()
            .filter(|(_, package)| package.name.namespace == NAMESPACE)
            .map(|(id, _)| id)
            .collect();
        packages.sort_by_key(|id| resolve.packages[*id].name.name.clone());
        Self { resolve, packages }
    }

    pub fn name(&self, package: PackageId) -> &PackageName {
        &self.resolve.packages[package].name
    }

    /// The version that all our packages share.
    pub fn version(&self) -> Result<Version> {
        let mut versions =
            self.packages.iter().map(|id| (self.name(*id), self.name(*id).version.as_ref()));
        let Some((_, first)) = versions.next() else { bail!("no package named {NAMESPACE}:*") };
        let Some(first) = first else { bail!("a package without a version: write `@0.1.0`") };
        for (name, version) in versions {
            if version != Some(first) {
                bail!("{name} is not at {first}: all packages of the contract move together");
            }
        }
        Ok(first.clone())
    }
}

/// What a folder holds, ordered by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || format!("cannot read {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .with_context(read)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(read)?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_move_together() {
        let two = |second: &str| {
            let text = format!(
                "package xpressclaw:a@0.1.0;\n\
                 package xpressclaw:b@{second} {{ interface i {{}} }}\n\
                 package wasi:io@9.0.0 {{ interface i {{}} }}"
            );
            Contract::parse("test", &text).unwrap().version()
        };
        assert_eq!(two("0.1.0").unwrap(), Version::new(0, 1, 0));
        let error = two("0.1.1").unwrap_err().to_string();
        assert!(error.starts_with("xpressclaw:b@0.1.1 is not at 0.1.0"), "{error}");
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let error = Contract::parse("a.wit", "package a:b;\ninterface i { f: func( }")
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("a.wit:2"), "{error}");
    }
}
