//! Control groups, version 2 (Linux's `Documentation/admin-guide/cgroup-v2.rst`): one for each command, one
//! for tmux, and one limit on the number of processes over all of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

/// Processes and threads in all commands and windows together: builds with many workers fit, and a fork
/// bomb ends here, long before the kernel has no process left for the agent.
const PROCESSES_MAX: u32 = 1024;

const WINDOWS: &str = "windows";

#[derive(Debug)]
pub struct Groups {
    base: PathBuf,
    windows: PathBuf,
    /// Of commands that ended, perhaps not empty yet.
    discarded: Vec<PathBuf>,
}

impl Groups {
    /// Below `base`, which is made. What an agent before this one left there is killed.
    pub fn new(base: &Path) -> Result<Self, String> {
        let cannot =
            |error: std::io::Error| format!("no control groups in {}: {error}", base.display());
        make(base).map_err(cannot)?;
        let parent = base.parent().unwrap_or(base);
        // Both fail without the controller; fork bombs then end at the kernel's own limits.
        let _ = fs::write(parent.join("cgroup.subtree_control"), "+pids");
        let _ = fs::write(base.join("pids.max"), PROCESSES_MAX.to_string());
        if !kill(base) {
            return Err(format!("control groups in {} cannot be killed", base.display()));
        }
        let windows = base.join(WINDOWS);
        make(&windows).map_err(cannot)?;
        let mut discarded = Vec::new();
        for entry in fs::read_dir(base).map_err(cannot)?.flatten() {
            let path = entry.path();
            if path.is_dir() && path != windows {
                discarded.push(path);
            }
        }
        Ok(Self { base: base.to_owned(), windows, discarded })
    }

    pub fn windows(&self) -> &Path {
        &self.windows
    }

    pub fn make(&mut self, name: &str) -> Result<PathBuf, String> {
        let group = self.base.join(name);
        make(&group).map_err(|error| format!("cannot make {}: {error}", group.display()))?;
        Ok(group)
    }

    /// To be removed as soon as it is empty.
    pub fn discard(&mut self, group: PathBuf) {
        self.discarded.push(group);
    }

    pub fn sweep(&mut self) {
        self.discarded.retain(|group| match fs::remove_dir(group) {
            Ok(()) => false,
            Err(error) => error.kind() != ErrorKind::NotFound,
        });
    }
}

impl Drop for Groups {
    /// So that an agent beside a machine (in tests) leaves nothing behind; in the machine all of it
    /// is about to end.
    fn drop(&mut self) {
        kill(&self.base);
        self.sweep();
        let _ = fs::remove_dir(&self.windows);
        let _ = fs::remove_dir(&self.base);
    }
}

fn make(group: &Path) -> std::io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Kills all in a group and below it, forks under way included; whether the kernel can.
pub fn kill(group: &Path) -> bool {
    // `create` would be refused: these files are there or are not.
    fs::OpenOptions::new()
        .write(true)
        .open(group.join("cgroup.kill"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"1"))
        .is_ok()
}

/// The processes in a group.
pub fn members(group: &Path) -> Vec<Pid> {
    let list = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    list.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}
