//! The root's files as a folder: packages unpacked, what nobody reads there removed, and what their
//! scripts would do at installation done by hand. Called by `mod`, packed by `pack`.
//!
//! No script of a package runs here: what the folder holds follows from the packages' contents and from
//! the tables below.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::lock::Package;
use super::{bytecode, debs, finish, libraries};
use crate::process::{self, say};
use crate::settings::Settings;
use crate::stamp::{Inputs, create_dir, ensure, remove};

const FIX: &str =
    "read the message above; removing the folder `machine` of the cache starts afresh";

/// Change it when the steps or tables change.
const RECIPE: &str = "tree 2";

/// What is never read in the machine. What a redistributor must keep, the copyright notices, stays.
const UNREAD: &[&str] = &[
    "boot",
    "etc/cron.daily",
    "etc/init.d",
    "etc/logrotate.d",
    "etc/pam.d",
    "etc/security",
    "etc/systemd",
    "home",
    "media",
    "srv",
    "usr/games",
    "usr/include",
    "usr/lib/binfmt.d",
    "usr/lib/pcrlock.d",
    "usr/lib/systemd",
    "usr/lib/sysusers.d",
    "usr/lib/tmpfiles.d",
    "usr/lib/udev",
    "usr/lib/valgrind",
    "usr/share/applications",
    "usr/share/apport",
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/debconf",
    "usr/share/doc-base",
    "usr/share/gcc",
    "usr/share/gdb",
    "usr/share/gitweb",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/menu",
    "usr/share/nodejs/corepack",
    "usr/share/pixmaps",
    "usr/share/polkit-1",
    "usr/share/zsh",
    // A hook for crash reports, tried and missed at every start.
    "usr/lib/python3.13/sitecustomize.py",
    // Servers and mail, 2 MB each.
    "usr/lib/git-core/git-daemon",
    "usr/lib/git-core/git-http-backend",
    "usr/lib/git-core/git-http-push",
    "usr/lib/git-core/git-imap-send",
    "usr/lib/git-core/git-shell",
];

/// The root's files for `packages`, which are unpacked in this order: a later one wins.
pub fn make(settings: &Settings, name: &str, packages: &[&Package]) -> Result<PathBuf> {
    let tree = settings.machine().join(format!("tree-{name}"));
    let files = settings.root.join("host/xtask/machine/files");
    let stamp = stamp(&files, packages)?;
    ensure(&tree, &stamp, &settings.lock(&format!("machine-tree-{name}")), || {
        debs::fetch(settings, packages)?;
        say(format_args!("unpacking {} packages for the machine", packages.len()));
        let partial = tree.with_extension("partial");
        remove(&partial)?;
        create_dir(&partial)?;
        for package in packages {
            let deb = debs::path(settings, package);
            let mut unpack = process::command("dpkg-deb");
            process::output(unpack.arg("-x").arg(deb).arg(&partial), FIX)?;
        }
        for path in UNREAD {
            remove(&partial.join(path))?;
        }
        keep_copyrights(&partial.join("usr/share/doc"))?;
        finish::by_hand(&partial, &files)?;
        bytecode::compile(&partial)?;
        libraries::check(&partial)?;
        remove(&tree)?;
        fs::rename(&partial, &tree).with_context(|| format!("cannot rename to {}", tree.display()))
    })?;
    Ok(tree)
}

fn stamp(files: &Path, packages: &[&Package]) -> Result<String> {
    let inputs =
        Inputs::new(RECIPE).text(&format!("{UNREAD:?}")).text(&finish::recipe()).path(files)?;
    Ok(packages.iter().fold(inputs, |inputs, package| inputs.text(&package.sha256)).stamp())
}

/// Leaves of the documentation what its licences ask to be passed on.
fn keep_copyrights(doc: &Path) -> Result<()> {
    let cannot = || format!("cannot read {}", doc.display());
    for package in fs::read_dir(doc).with_context(cannot)? {
        let package = package.with_context(cannot)?.path();
        if package.is_symlink() || !package.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&package).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            if entry.file_name() != "copyright" {
                remove_any(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Like `remove`, but of a link only the link.
fn remove_any(path: &Path) -> Result<()> {
    if path.is_symlink() {
        return fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()));
    }
    remove(path)
}
