//! What the packages' scripts would do at installation, done by hand: links between programs, folders,
//! the certificates in one file, and the machine's own settings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::entries;
use crate::stamp::{create_dir, sources};

/// The programs behind the names that people type, and where libraries look for what has moved.
const LINKS: &[(&str, &str)] = &[
    ("usr/bin/awk", "mawk"),
    ("usr/bin/editor", "vim.tiny"),
    ("usr/bin/fd", "fdfind"),
    ("usr/bin/nawk", "mawk"),
    ("usr/bin/pager", "less"),
    ("usr/bin/python", "python3"),
    ("usr/bin/vi", "vim.tiny"),
    ("usr/bin/vim", "vim.tiny"),
    ("usr/bin/which", "which.debianutils"),
    ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
    ("etc/mtab", "../proc/self/mounts"),
    // OpenSSL's own name for the certificates in one file.
    ("usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt"),
];

/// Where the first process mounts something, and where programs expect to write.
const FOLDERS: &[&str] = &[
    "dev",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr/lib/xpressclaw",
    "usr/local/bin",
    "var/log",
    "var/tmp",
    "workspace",
];

/// Everybody writes there, nobody removes what is another's.
const SHARED: [&str; 2] = ["tmp", "var/tmp"];

/// Changes with the steps and tables of this module.
pub fn recipe() -> String {
    format!("finish 1 {LINKS:?} {FOLDERS:?}")
}

/// `tree` as it would be after installation; `files` are the machine's own settings.
pub fn by_hand(tree: &Path, files: &Path) -> Result<()> {
    for folder in FOLDERS {
        create_dir(&tree.join(folder))?;
    }
    for folder in SHARED {
        entries::set_mode(&tree.join(folder), 0o1777)?;
    }
    for (link, target) in LINKS {
        let link = tree.join(link);
        let folder = link.parent().unwrap_or(tree);
        create_dir(folder)?;
        ensure!(
            target.starts_with('/') || target.starts_with("..") || folder.join(target).exists(),
            "{} would lead nowhere: no package brings {target}",
            link.display()
        );
        entries::link(target, &link)?;
    }
    join_certificates(tree)?;
    for file in sources(files)? {
        let name = file.strip_prefix(files)?;
        let to = tree.join(name);
        if let Some(folder) = to.parent() {
            create_dir(folder)?;
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        entries::write(&to, &bytes, 0o644)?;
    }
    Ok(())
}

/// All certificates that Debian trusts, in the order of their names.
fn join_certificates(tree: &Path) -> Result<()> {
    let folder = tree.join("usr/share/ca-certificates");
    let certificates: Vec<PathBuf> = sources(&folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "crt"))
        .collect();
    ensure!(!certificates.is_empty(), "no certificates in {}", folder.display());
    let mut joined = Vec::new();
    for path in certificates {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        joined.extend_from_slice(bytes.trim_ascii_end());
        joined.push(b'\n');
    }
    let to = tree.join("etc/ssl/certs/ca-certificates.crt");
    create_dir(to.parent().unwrap_or(tree))?;
    entries::write(&to, &joined, 0o644)
}
