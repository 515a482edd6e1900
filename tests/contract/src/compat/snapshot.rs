//! Released versions of the contract: `wit/released/<version>.wit`, each complete in one file, so
//! that bindings for an old version can be made from it alone. Called by the repository's tests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use semver::Version;
use wit_component::{DecodedWasm, OutputToString, WitPrinter};
use wit_parser::Resolve;

use crate::wit::{Contract, NAMESPACE};

/// The version that nobody has been promised yet: its snapshot may be overwritten. `None` from the
/// day it is released until the version rises.
pub const UNRELEASED: Option<Version> = Some(Version::new(0, 1, 0));

/// A snapshot, read back.
pub struct Release {
    pub version: Version,
    pub contract: Contract,
}

/// The newest snapshot in `folder`; `None` when there is none. A file that is no snapshot is an
/// error.
pub fn latest(folder: &Path) -> Result<Option<Release>> {
    let mut versions = Vec::new();
    if folder.is_dir() {
        for entry in
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            let version = (path.extension().and_then(|e| e.to_str()) == Some("wit"))
                .then(|| path.file_stem().and_then(|stem| stem.to_str()))
                .flatten()
                .and_then(|stem| stem.parse::<Version>().ok());
            match version {
                Some(version) => versions.push(version),
                None => bail!(
                    "{} is no snapshot: they are called <version>.wit, and nothing else stands there",
                    path.display()
                ),
            }
        }
    }
    versions.sort();
    versions.pop().map(|version| read(folder, version)).transpose()
}

fn read(folder: &Path, version: Version) -> Result<Release> {
    let path = folder.join(format!("{version}.wit"));
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let contract = Contract::parse(&path.display().to_string(), &text)?;
    let inside = contract.version()?;
    if inside != version {
        bail!("{} holds version {inside}: name it after what it holds", path.display());
    }
    Ok(Release { version, contract })
}

/// Writes the snapshot of `contract` into `folder`.
pub fn record(folder: &Path, contract: &Contract) -> Result<()> {
    let path = folder.join(format!("{}.wit", contract.version()?));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, render(contract)?.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The whole contract as one text: our packages with their docs, and of foreign packages what ours
/// name, without.
pub fn render(contract: &Contract) -> std::io::Result<String> {
    render_parts(contract).map_err(std::io::Error::other)
}

fn render_parts(contract: &Contract) -> Result<String> {
    let resolve = &contract.resolve;
    let main = *contract
        .packages
        .iter()
        .find(|id| !resolve.packages[**id].worlds.is_empty())
        .context("no package holds a world")?;
    let others: Vec<_> = contract.packages.iter().copied().filter(|id| *id != main).collect();
    let mut ours = WitPrinter::<OutputToString>::default();
    ours.print(resolve, main, &others)?;
    let foreign = foreign(resolve, main)?;
    let mut theirs = WitPrinter::<OutputToString>::default();
    theirs.emit_docs(false);
    for package in foreign.topological_packages() {
        if foreign.packages[package].name.namespace != NAMESPACE {
            theirs.print_package(&foreign, package, false)?;
        }
    }
    let text = format!("{}\n{}", String::from(ours.output), String::from(theirs.output));
    let mut text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

/// The contract again, its foreign packages cut down to what `main` reaches: encoding drops the
/// rest.
fn foreign(resolve: &Resolve, main: wit_parser::PackageId) -> Result<Resolve> {
    let encoded = wit_component::encode(resolve, main)?;
    match wit_component::decode(&encoded)? {
        DecodedWasm::WitPackage(resolve, _) => Ok(resolve),
        DecodedWasm::Component(..) => bail!("an encoded package was read back as a component"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::{Surface, compare};

    const SOURCE: &str = "package xpressclaw:w@0.1.2;\n\
        package wasi:x@0.2.0 { interface i { f: func(); } interface unused { f: func(); } }\n\
        package xpressclaw:t@0.1.2 { /// Kept.\n interface t { enum e { a } } }\n\
        world w { import xpressclaw:t/t@0.1.2; export wasi:x/i@0.2.0; }";

    #[test]
    fn a_snapshot_reads_back_as_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert!(latest(folder.path()).unwrap().is_none());
        let contract = Contract::parse("test", SOURCE).unwrap();
        record(folder.path(), &contract).unwrap();
        let release = latest(folder.path()).unwrap().unwrap();
        assert_eq!(release.version, Version::new(0, 1, 2));
        let changes = compare(&Surface::of(&contract), &Surface::of(&release.contract));
        assert_eq!(changes, []);
        let text = fs::read_to_string(folder.path().join("0.1.2.wit")).unwrap();
        assert!(text.contains("/// Kept."), "{text}");
        assert!(!text.contains("unused"), "{text}");
        assert_eq!(text, render(&release.contract).unwrap());
    }

    #[test]
    fn the_newest_counts_and_strangers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["0.1.9", "0.1.10"] {
            let text = SOURCE.replace("0.1.2", version);
            record(folder.path(), &Contract::parse("test", &text).unwrap()).unwrap();
        }
        let newest = latest(folder.path()).unwrap().unwrap();
        assert_eq!(newest.version, Version::new(0, 1, 10));
        fs::rename(folder.path().join("0.1.9.wit"), folder.path().join("0.2.0.wit")).unwrap();
        let error = latest(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("holds version 0.1.9: name it after what it holds"), "{error}");
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let error = latest(folder.path()).err().unwrap().to_string();
        assert!(error.contains("notes.txt is no snapshot"), "{error}");
    }
}
