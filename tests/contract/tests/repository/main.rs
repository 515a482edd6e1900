//! The checks of this crate, on the repository itself.
//!
//! `UPDATE_EXPECTED=1 cargo test -p contract` writes what is made from `wit/`: the page
//! `docs/contract.md`, and the snapshot in `wit/released/` when the version rose. While a version is
//! unreleased, `XPRESSCLAW_CONTRACT_UNRELEASED=1` besides lets its snapshot be overwritten.

mod compatibility;
mod components;
mod layers;
mod load;
mod middleware;
mod wit;

use std::path::{Path, PathBuf};

use contract::expected::Mode;

/// The clone.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

fn contract() -> anyhow::Result<contract::wit::Contract> {
    contract::wit::Contract::read(&root().join("wit"))
}

/// Whether this run writes what is made from other files.
fn mode() -> Mode {
    match is_set("UPDATE_EXPECTED") {
        true => Mode::Update,
        false => Mode::Compare,
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Fails with all violations at once.
fn none(violations: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(violations.is_empty(), "\n  - {}", violations.join("\n  - "));
    Ok(())
}
