//! Crates, code and folders of the repository.

use std::path::Path;

use anyhow::{Result, ensure};
use contract::layers::{self, Crate};
use contract::{source, tree};

/// The host, and the workspaces beside it.
const MANIFESTS: [&str; 4] =
    ["Cargo.toml", "components/Cargo.toml", "components/guest/Cargo.toml", "host/xtask/Cargo.toml"];

fn crates() -> Result<Vec<Crate>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut crates = Vec::new();
    for manifest in MANIFESTS {
        crates.extend(layers::read(Path::new(&cargo), &crate::root(), manifest)?);
    }
    Ok(crates)
}

#[test]
fn crates_depend_downwards() -> Result<()> {
    let crates = crates()?;
    for known in ["domain", "session", "xpressclaw", "contract", "echo", "agent", "xtask"] {
        ensure!(crates.iter().any(|krate| krate.name == known), "cargo knows no crate `{known}`");
    }
    crate::none(&layers::violations(&crates))
}

#[test]
fn code_names_only_what_its_crate_may() -> Result<()> {
    let root = crate::root();
    let misnamed = source::violations(&root, &root.join("host/xpressclaw"), "domain")?;
    ensure!(!misnamed.is_empty(), "the binary neither prints nor reads the environment?");
    let mut found = Vec::new();
    for krate in crates()?.iter().filter(|krate| krate.folder.starts_with("host/")) {
        found.extend(source::violations(&root, &root.join(&krate.folder), &krate.name)?);
    }
    crate::none(&found)
}

#[test]
fn the_top_level_is_fixed() -> Result<()> {
    crate::none(&tree::top_violations(&tree::top(&crate::root())?))
}

#[test]
fn files_are_short() -> Result<()> {
    let files = tree::rust_files(&crate::root())?;
    ensure!(files.iter().any(|file| file.path.ends_with("tree.rs")), "no Rust files were found");
    crate::none(&tree::length_violations(&files))
}
