//! Whether every program and library of the root finds the libraries it names. Packages are left out and
//! taken from two releases here, against what their makers wrote; this says when that went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::process;

const FIX: &str = "apt-get install binutils-riscv64-linux-gnu";
const READELF: &str = "riscv64-linux-gnu-readelf";

/// Fails with the names that nothing provides, and who asks for them.
pub fn check(tree: &Path) -> Result<()> {
    let binaries = binaries(tree)?;
    ensure!(!binaries.is_empty(), "no programs in {}", tree.display());
    let mut readelf = process::command(READELF);
    // Without a second file it would not say whose the answer is.
    readelf.args(["--dynamic", "--wide"]).args(&binaries).arg(&binaries[0]).env("LC_ALL", "C");
    let answer = process::output(&mut readelf, FIX)?;
    let missing = missing(&answer);
    let text: Vec<_> = missing
        .iter()
        .map(|(library, asking)| format!("{library} for {}", asking.display()))
        .collect();
    ensure!(
        text.is_empty(),
        "the machine's image lacks {}; fix: take the package out of LEFT_OUT, or remove who asks",
        text.join(", ")
    );
    Ok(())
}

/// Libraries that are asked for and provided by none of the files, each with one that asks.
fn missing(answer: &str) -> BTreeMap<&str, &Path> {
    let mut provided = BTreeSet::new();
    let mut needed = BTreeMap::new();
    let mut file = Path::new("");
    for line in answer.lines() {
        let bracketed = || Some(line.split_once('[')?.1.split_once(']')?.0);
        if let Some(path) = line.strip_prefix("File: ") {
            file = Path::new(path);
            provided.extend(file.file_name().and_then(|name| name.to_str()));
        } else if line.contains("(NEEDED)") {
            needed.extend(bracketed().map(|name| (name, file)));
        } else if line.contains("(SONAME)") {
            provided.extend(bracketed());
        }
    }
    needed.retain(|name, _| !provided.contains(name));
    needed
}

/// All files of the tree that begin like a program, links not followed.
fn binaries(tree: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![tree.to_path_buf()];
    while let Some(folder) = open.pop() {
        let cannot = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let kind = entry.file_type().with_context(cannot)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && is_elf(&entry.path())? {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_elf(path: &Path) -> Result<bool> {
    let cannot = || format!("cannot read {}", path.display());
    let mut start = Vec::new();
    fs::File::open(path)
        .with_context(cannot)?
        .take(4)
        .read_to_end(&mut start)
        .with_context(cannot)?;
    Ok(start == b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_provides_is_found() {
        let answer = "\nFile: /t/usr/bin/tmux\n\n 0x1 (NEEDED)  Shared library: [libtinfo.so.6]\n \
            0x1 (NEEDED)  Shared library: [libsystemd.so.0]\n 0x1 (NEEDED)  Shared library: [libm.so.6]\n\n\
            File: /t/usr/lib/libtinfo.so.6.5\n 0xe (SONAME) Library soname: [libtinfo.so.6]\n\n\
            File: /t/usr/lib/libm.so.6\nThere is no dynamic section in this file.\n";
        let expected = BTreeMap::from([("libsystemd.so.0", Path::new("/t/usr/bin/tmux"))]);
        assert_eq!(missing(answer), expected);
    }
}
