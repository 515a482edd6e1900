//! Shipped components and dummies against their worlds.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use contract::component::{Targets, dummy, dummy_with_stranger, worlds};

/// Where the built components are; the host's own variable.
const FOLDERS: &str = "XPRESSCLAW_HARNESS_PATH";
/// What the source of a component has one of, by its language.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "package.json", "pyproject.toml"];
/// The worlds that the host runs, as a harness or before one.
const RUN: [&str; 4] = ["harness", "harness-sync", "llm-middleware", "tools-middleware"];

#[test]
fn a_dummy_of_each_world_fits_it_and_no_other() -> Result<()> {
    let contract = crate::contract()?;
    let targets = Targets::of(&contract)?;
    let worlds = worlds(&contract)?;
    ensure!(worlds.len() >= 5, "worlds are missing: {worlds:?}");
    for world in &worlds {
        let component = dummy(&contract, world)?;
        targets.check(&component, world)?;
        for other in worlds.iter().filter(|other| *other != world) {
            let refused = targets.check(&component, other);
            ensure!(refused.is_err(), "the dummy of world `{world}` fits world `{other}` too");
        }
    }
    Ok(())
}

#[test]
fn an_import_that_nobody_offers_is_named() -> Result<()> {
    let contract = crate::contract()?;
    let component = dummy_with_stranger(&contract, "harness")?;
    let error = match Targets::of(&contract)?.check(&component, "harness") {
        Err(error) => error.to_string(),
        Ok(()) => bail!("an import that no world has was accepted"),
    };
    ensure!(error.contains("it imports `checks:dummies/stranger@1.0.0`"), "{error}");
    Ok(())
}

#[test]
fn every_shipped_component_fits_a_world_that_is_run() -> Result<()> {
    fit_a_world_that_is_run("components", &folders()?)
}

/// They are harnesses like any other, but stand where the host does not look for some.
#[test]
fn every_guest_for_tests_fits_a_harness_world_and_is_not_shipped() -> Result<()> {
    let beside: Vec<PathBuf> = folders()?.iter().map(|folder| folder.join("tests")).collect();
    fit_a_world_that_is_run("tests/guests", &beside)?;
    let shipped = built(&folders()?)?;
    for name in sources("tests/guests")? {
        ensure!(find(&shipped, &name).is_none(), "{name} is built where harnesses are found");
    }
    Ok(())
}

fn fit_a_world_that_is_run(sources: &str, folders: &[PathBuf]) -> Result<()> {
    let targets = Targets::of(&crate::contract()?)?;
    let built = built(folders)?;
    for name in self::sources(sources)? {
        let Some(path) = find(&built, &name) else {
            bail!("{sources}/{name} is not built: no {name}.wasm in {folders:?}; {FIX}");
        };
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if !targets.fitting(&bytes).iter().any(|world| RUN.contains(world)) {
            let why = RUN.map(|world| match targets.check(&bytes, world) {
                Ok(()) => String::new(),
                Err(error) => format!("\n  - {error:#}"),
            });
            bail!("{} is neither harness nor middleware; {FIX}:{}", path.display(), why.concat());
        }
    }
    Ok(())
}

const FIX: &str = "`cargo xtask test` builds the components and sets the variable";

fn find<'a>(built: &'a [PathBuf], name: &str) -> Option<&'a PathBuf> {
    built.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

/// Where the host looks for harnesses.
fn folders() -> Result<Vec<PathBuf>> {
    let folders = env::var_os(FOLDERS).filter(|value| !value.is_empty());
    let folders = folders.with_context(|| format!("{FOLDERS} is not set; {FIX}"))?;
    Ok(env::split_paths(&folders).collect())
}

/// The components that are built.
fn built(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut built = Vec::new();
    for folder in folders {
        let read = || format!("cannot read {} of {FOLDERS}; {FIX}", folder.display());
        for entry in fs::read_dir(folder).with_context(read)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                built.push(path);
            }
        }
    }
    ensure!(!built.is_empty(), "no component in {FOLDERS}; {FIX}");
    Ok(built)
}

/// Whether a manifest is one of a component: a workspace that stands beside them is none.
fn is_package(manifest: &Path) -> bool {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let is_cargo = manifest.ends_with("Cargo.toml");
    !text.is_empty() && (!is_cargo || text.lines().any(|line| line == "[package]"))
}

/// The components that the repository has the source of, in a folder of its own each.
fn sources(folder: &str) -> Result<Vec<String>> {
    let folder = crate::root().join(folder);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let is_source = MANIFESTS.iter().any(|manifest| is_package(&path.join(manifest)));
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_source) {
            names.push(name.to_owned());
        }
    }
    ensure!(!names.is_empty(), "{} has no component", folder.display());
    names.sort();
    Ok(names)
}
