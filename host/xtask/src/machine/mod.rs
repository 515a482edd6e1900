//! The machine's image: a kernel and a read-only root, made from Debian's packages. Called by
//! `cargo xtask machine-image` and by everything that runs the machine; costs a few looks at the file
//! system when all is there. Why it is made this way: ADR 0033.
//!
//! | module | what |
//! |---|---|
//! | `packages` | what is wanted |
//! | `lock`, `repin` | which files of the archive that is, and asking anew |
//! | `debs` | these files |
//! | `fragment`, `kernel` | the kernel |
//! | `tree`, `finish`, `entries`, `bytecode`, `libraries` | the root as a folder |
//! | `pack` | the root as a file |
//! | `manifest` | what came out |
//! | `python_tests` | what the image's Python is tested with |

mod bytecode;
mod debs;
mod entries;
mod finish;
mod fragment;
mod kernel;
mod libraries;
mod lock;
mod manifest;
mod pack;
mod packages;
pub mod python_tests;
mod repin;
mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::guest_programs;
use crate::process::say;
use crate::settings::Settings;
use crate::stamp::{self, Inputs};
use crate::system;
use lock::{Lock, Package, Section};
use manifest::{Part, Root};

/// Which programs a root has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Shell, usual commands, Python, git, tmux.
    Base,
    /// And Node.js.
    Full,
}

impl Variant {
    const ALL: [Self; 2] = [Self::Base, Self::Full];

    fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Full => "full",
        }
    }

    fn root(self, settings: &Settings) -> PathBuf {
        settings.machine().join(match self {
            Self::Base => "root.erofs",
            Self::Full => "root-full.erofs",
        })
    }

    /// In the order in which they are unpacked.
    fn packages(self, lock: &Lock) -> Vec<&Package> {
        let node = match self {
            Self::Base => &[],
            Self::Full => lock.section(Section::Node),
        };
        let replaced = |name: &str| node.iter().any(|package| package.name == name);
        let base = lock.section(Section::Base).iter().filter(|package| !replaced(&package.name));
        base.chain(node).collect()
    }
}

/// `cargo xtask machine-image [--full | --repin]`.
pub fn command(settings: &Settings, words: &[OsString]) -> Result<()> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    match words.iter().map(AsRef::as_ref).collect::<Vec<_>>()[..] {
        [] => build(settings, &[Variant::Base]),
        ["--full"] => build(settings, &Variant::ALL),
        ["--repin"] => repin::repin(settings),
        _ => bail!("`cargo xtask machine-image` takes --full or --repin"),
    }
}

/// Builds kernel and roots, as far as they are not there, and says what came out.
pub fn build(settings: &Settings, variants: &[Variant]) -> Result<()> {
    system::install_for_machine(settings)?;
    let lock = Lock::read(&Lock::path(settings))?;
    let [source] = lock.section(Section::Kernel) else {
        bail!("the lock file pins no kernel; fix: cargo xtask machine-image --repin");
    };
    let programs = guest_programs::build(settings)?;
    let kernel = kernel::build(settings, source)?;
    for variant in variants {
        let tree = tree::make(settings, variant.name(), &variant.packages(&lock))?;
        pack::pack(settings, &tree, &programs, &variant.root(settings))?;
    }
    write_manifest(settings, &lock, &source.version, &kernel)
}

/// What was asked for is there now; what else is there, from before, is listed as well.
fn write_manifest(settings: &Settings, lock: &Lock, version: &str, kernel: &Path) -> Result<()> {
    let variants: Vec<_> =
        Variant::ALL.into_iter().filter(|variant| variant.root(settings).exists()).collect();
    let mut inputs = Inputs::new("manifest 1").text(version).text(&stamp::of(kernel)?);
    for variant in &variants {
        inputs = inputs.text(variant.name()).text(&stamp::of(&variant.root(settings))?);
    }
    let to = settings.machine().join("machine.json");
    stamp::ensure(&to, &inputs.stamp(), &settings.lock("machine-manifest"), || {
        let kernel = Part::of(kernel)?;
        let mut roots = Vec::new();
        for variant in variants {
            let part = Part::of(&variant.root(settings))?;
            let packages = variant.packages(lock).len();
            roots.push(Root { variant: variant.name(), packages, part });
        }
        for part in [&kernel].into_iter().chain(roots.iter().map(|root| &root.part)) {
            say(format_args!("machine: {} of {:.1} MB", part.file, part.bytes as f64 / 1e6));
        }
        manifest::write(&to, version, &kernel, &roots)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_younger_release_replaces_what_both_have() {
        let digest = "0".repeat(64);
        let line =
            |name: &str, version: &str| format!("{name} {version} 1 {digest} main pool/x.deb\n");
        let (bash, old, new) = (line("bash", "5"), line("libc6", "2.41"), line("libc6", "2.43"));
        let lock = Lock::parse(&format!("[base]\n{bash}{old}[node]\n{new}")).unwrap();
        let versions = |variant: Variant| -> Vec<String> {
            variant.packages(&lock).iter().map(|package| package.version.clone()).collect()
        };
        assert_eq!(versions(Variant::Base), ["5", "2.41"]);
        assert_eq!(versions(Variant::Full), ["5", "2.43"]);
    }
}
