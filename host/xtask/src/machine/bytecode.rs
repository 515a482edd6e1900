//! Python's library, compiled: in the machine the root is read only, and to compile at every start what
//! `python3 -c pass` imports would cost it many times over.
//!
//! The image's own Python does it, run by QEMU's user mode: bytecode belongs to one version of Python, and
//! the host's is another.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::process::{self, on_path, say};

const FIX: &str = "read the message above";

/// Debian's QEMU comes as one file for all distributions, others' may be linked dynamically.
pub const EMULATORS: [&str; 2] = ["qemu-riscv64-static", "qemu-riscv64"];

/// What is imported by nobody: the interpreter's own tests, its editor, its installer.
const NOT_COMPILED: &str = r"/(test|idlelib|turtledemo|lib2to3|ensurepip)/";

pub fn compile(tree: &Path) -> Result<()> {
    let emulator = EMULATORS.into_iter().find(|name| on_path(name).is_some());
    let emulator = emulator.with_context(|| format!("no {}", EMULATORS.join(" or ")))?;
    let library = library(tree)?;
    let python = fs::canonicalize(tree.join("usr/bin/python3"))
        .context("the image has no usr/bin/python3")?;
    say("compiling the machine's Python library");
    let mut command = process::command(emulator);
    command.arg("-L").arg(tree).arg(python).args(["-s", "-B", "-m", "compileall", "-q", "-f"]);
    command.args(["-x", NOT_COMPILED]);
    // Not by the time of the source, which the image does not keep: what is read only cannot change.
    command.args(["--invalidation-mode", "unchecked-hash", "-p", "/", "-s"]).arg(tree);
    // The order of sets in the outcome follows from the seed.
    command.arg(&library).env("PYTHONHASHSEED", "0");
    command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
    process::run_unsaid(&mut command, FIX)
}

/// `usr/lib/python3.13`.
fn library(tree: &Path) -> Result<PathBuf> {
    let lib = tree.join("usr/lib");
    let mut found: Vec<_> = fs::read_dir(&lib)
        .with_context(|| format!("cannot read {}", lib.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("os.py").exists())
        .collect();
    ensure!(found.len() == 1, "expected one Python library in {}, found {found:?}", lib.display());
    found.pop().context("no Python library")
}
