//! QEMU's user mode: the machine's programs over the host's kernel, in namespaces of their own where
//! every riscv64 program is given to QEMU. Needs Linux 6.7, the first where such a rule holds in one user
//! namespace, and no rights where users may make these.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::images::Images;
use crate::piped::Piped;
use crate::wire::{Clock, Wire};

/// Makes the folders of a Linux system and changes into them.
const ENTER: &str = include_str!("enter.sh");

/// Debian's QEMU comes as one file for all distributions, others' may be linked dynamically.
const PROGRAMS: [&str; 2] = ["qemu-riscv64-static", "qemu-riscv64"];

/// The shell in there.
pub struct User {
    piped: Piped,
    /// Where its root is mounted, in its own namespace.
    _mounts: TempDir,
}

impl User {
    /// Starts it.
    ///
    /// # Errors
    /// There is no QEMU, or the system has no such namespaces.
    pub fn start(images: &Images) -> Result<Self> {
        let program = PROGRAMS.into_iter().find_map(on_path);
        let program = program.with_context(|| format!("no {}", PROGRAMS.join(" or ")))?;
        let mounts = tempfile::tempdir()?;
        let (root, rules) = (mounts.path().join("root"), mounts.path().join("rules"));
        for folder in [&root, &rules] {
            fs::create_dir(folder)?;
        }
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "--uts", "--ipc", "--pid", "--fork"])
            .args(["--kill-child", "--", "sh", "-c", ENTER, "enter"])
            .arg(program)
            .arg(&images.tree)
            .args([root, rules])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default());
        Ok(Self { piped: Piped::start(&mut command)?, _mounts: mounts })
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

impl Wire for User {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.piped.send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        self.piped.receive(into, deadline)
    }

    /// Its processes are the host's: the runner's own clock is exact.
    fn clock(&self) -> Result<Clock> {
        Ok(Clock::default())
    }

    fn last_words(&self) -> String {
        self.piped.last_words()
    }
}
