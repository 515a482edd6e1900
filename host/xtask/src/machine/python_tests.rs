//! Python's tests of itself, for the comparison of the machine's behaviour: Debian's package of the same
//! version as the image's Python, as an archive that the guest can unpack. They are in no image.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use super::debs;
use super::lock::{Lock, Section};
use crate::process;
use crate::settings::Settings;
use crate::stamp::{self, Inputs};

/// Downloads and converts it, unless it is there.
pub fn archive(settings: &Settings) -> Result<PathBuf> {
    let lock = Lock::read(&Lock::path(settings))?;
    let [package] = lock.section(Section::Tests) else {
        bail!("the lock file pins no tests; fix: cargo xtask machine-image --repin");
    };
    let archive = settings.machine().join("python-tests.tar");
    let stamp = Inputs::new("python tests 1").text(&package.sha256).stamp();
    stamp::ensure(&archive, &stamp, &settings.lock("machine-python-tests"), || {
        debs::fetch(settings, &[package])?;
        let partial = archive.with_extension("partial");
        let file = File::create(&partial)
            .with_context(|| format!("cannot create {}", partial.display()))?;
        let mut convert = process::command("dpkg-deb");
        convert.arg("--fsys-tarfile").arg(debs::path(settings, package));
        let status = convert.stdin(Stdio::null()).stdout(file).status()?;
        ensure!(status.success(), "`{}` failed", process::render(&convert));
        fs::rename(&partial, &archive)
            .with_context(|| format!("cannot rename to {}", archive.display()))
    })?;
    Ok(archive)
}
