//! The pinned packages as files below the cache, named by what they hold. A file that is there is whole:
//! it is moved to its name after apt has checked its digest.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::lock::Package;
use super::packages;
use crate::apt::{Download, PrivateApt};
use crate::process::say;
use crate::settings::Settings;
use crate::stamp::{create_dir, hold, remove};

/// A mirror keeps a version for as long as a suite has it.
const FIX: &str = "check the connection; if the mirror answers 404, that version has left it: \
    `cargo xtask machine-image --repin` pins today's";

/// Downloads those of `packages` that are missing.
pub fn fetch(settings: &Settings, packages: &[&Package]) -> Result<()> {
    let _held = hold(&settings.lock("machine-debs"))?;
    let missing: Vec<_> =
        packages.iter().copied().filter(|package| !path(settings, package).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let bytes: u64 = missing.iter().map(|package| package.bytes).sum();
    say(format_args!("downloading {} packages for the machine, {} MB", missing.len(), bytes >> 20));
    let partial = settings.machine().join("debs/partial");
    remove(&partial)?;
    create_dir(&partial)?;
    let downloads: Vec<_> = missing
        .iter()
        .map(|package| Download {
            archive: package.archive,
            path: &package.path,
            sha256: &package.sha256,
            to: partial.join(&package.sha256),
        })
        .collect();
    let apt = PrivateApt::new(&settings.machine().join("apt"), FIX)?;
    apt.for_architecture(packages::ARCHITECTURE).download(&downloads)?;
    for (download, package) in downloads.iter().zip(&missing) {
        let to = path(settings, package);
        fs::rename(&download.to, &to)
            .with_context(|| format!("cannot rename to {}", to.display()))?;
    }
    remove(&partial)
}

/// Where `fetch` puts a package.
pub fn path(settings: &Settings, package: &Package) -> PathBuf {
    settings.machine().join("debs").join(format!("{}.deb", package.sha256))
}
