//! The machine's kernel: Debian's source, the repository's configuration, the host's cross compiler.
//!
//! The result depends on these and on nothing else of the building machine: no clock, user, host name or
//! path goes into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::debs;
use super::fragment;
use super::lock::Package;
use crate::process::{self, say};
use crate::settings::Settings;
use crate::stamp::{Inputs, create_dir, ensure as ensure_made, remove};

const FIX: &str = "read the message above; an interrupted build goes on where it was";

/// What the kernel says it was built by and when, instead of the truth.
const IDENTITY: [(&str, &str); 4] = [
    ("KBUILD_BUILD_TIMESTAMP", "2026-01-01 00:00:00 UTC"),
    ("KBUILD_BUILD_USER", "xpressclaw"),
    ("KBUILD_BUILD_HOST", "xpressclaw"),
    // How often it was built in this folder.
    ("KBUILD_BUILD_VERSION", "1"),
];

/// Builds the kernel from `source` unless it is there.
pub fn build(settings: &Settings, source: &Package) -> Result<PathBuf> {
    let image = settings.machine().join("Image");
    let wishes = settings.root.join("host/xtask/machine/kernel.config");
    let stamp = Inputs::new("kernel 1").path(&wishes)?.text(&source.sha256).stamp();
    ensure_made(&image, &stamp, &settings.lock("machine-kernel"), || {
        debs::fetch(settings, &[source])?;
        let dir = settings.machine().join("kernel");
        let tree = unpack(settings, source, &dir)?;
        let build = dir.join("build");
        create_dir(&build)?;
        configure(&tree, &build, &wishes)?;
        say("building the machine's kernel (some minutes, once)");
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        process::run(make(&tree, &build).arg(format!("-j{jobs}")).arg("Image"), FIX)?;
        let partial = image.with_extension("partial");
        let made = build.join("arch/riscv/boot/Image");
        fs::copy(&made, &partial).with_context(|| format!("cannot copy {}", made.display()))?;
        fs::rename(&partial, &image)
            .with_context(|| format!("cannot rename to {}", image.display()))?;
        remove(&dir) // 1.7 GB, needed only while building
    })?;
    Ok(image)
}

/// The source as a tree, made again only when it is another one.
fn unpack(settings: &Settings, source: &Package, dir: &Path) -> Result<PathBuf> {
    let tree = dir.join("source");
    ensure_made(&tree, &source.sha256, &settings.lock("machine-kernel-source"), || {
        remove(dir)?;
        let deb = dir.join("deb");
        create_dir(&deb)?;
        let package = debs::path(settings, source);
        process::run(process::command("dpkg-deb").arg("-x").arg(package).arg(&deb), FIX)?;
        let archive = deb.join(format!("usr/src/{}.tar.xz", source.name));
        let partial = dir.join("partial");
        create_dir(&partial)?;
        let mut tar = process::command("tar");
        tar.arg("-xf").arg(archive).arg("--strip-components=1").arg("-C").arg(&partial);
        process::run(&mut tar, FIX)?;
        remove(&deb)?;
        fs::rename(&partial, &tree).with_context(|| format!("cannot rename to {}", tree.display()))
    })?;
    Ok(tree)
}

fn configure(tree: &Path, build: &Path, wishes: &Path) -> Result<()> {
    let mut all_off_but = make(tree, build);
    process::run(all_off_but.env("KCONFIG_ALLCONFIG", wishes).arg("allnoconfig"), FIX)?;
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let wishes_text = read(wishes)?;
    let lost = fragment::lost(&wishes_text, &read(&build.join(".config"))?);
    ensure!(
        lost.is_empty(),
        "the kernel's configuration dropped {}; fix: what it depends on is missing in {}, or it has \
         another name in this kernel",
        lost.join(", "),
        wishes.display()
    );
    Ok(())
}

fn make(tree: &Path, build: &Path) -> Command {
    let mut make = process::command("make");
    make.arg("-s").arg("-C").arg(tree);
    let mut output = std::ffi::OsString::from("O=");
    output.push(build);
    make.arg(output).args(["ARCH=riscv", "CROSS_COMPILE=riscv64-linux-gnu-"]);
    make.envs(IDENTITY).env("LC_ALL", "C");
    make
}
