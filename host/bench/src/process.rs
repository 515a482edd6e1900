//! A process under measurement, with its descendants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// Memory of a process tree, in KiB, as Linux counts it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// The most that was resident so far, shared and file-backed pages included (`VmHWM`).
    pub peak: u64,
    /// Anonymous pages now: what the process alone needs (`RssAnon`).
    pub anonymous: u64,
}

/// Memory of `root` and all its descendants.
pub fn memory(root: u32) -> Memory {
    let mut sum = Memory::default();
    for pid in tree(root) {
        let status = Path::new("/proc").join(pid.to_string()).join("status");
        sum.peak += field(&status, "VmHWM:").unwrap_or(0);
        sum.anonymous += field(&status, "RssAnon:").unwrap_or(0);
    }
    sum
}

/// Processor time that `root` and all its living descendants have used.
pub fn cpu(root: u32) -> Duration {
    let mut sum = 0;
    for pid in tree(root) {
        let file = Path::new("/proc").join(pid.to_string()).join("stat");
        let Ok(text) = fs::read_to_string(file) else { continue };
        // The name, in brackets, may hold spaces; user and system time are fields 14 and 15.
        let after = text.rsplit_once(')').map_or("", |(_, after)| after);
        let fields = after.split_whitespace().skip(11).take(2);
        sum += fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
    }
    Duration::from_secs(sum) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(1)
}

fn tree(root: u32) -> Vec<u32> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = field(&entry.path().join("status"), "PPid:") {
            parents.insert(pid, parent);
        }
    }
    let descends = |pid: u32| {
        let mut at = pid;
        // A chain longer than the number of processes is a race between reads.
        for _ in 0..parents.len() {
            if at == root {
                return true;
            }
            match parents.get(&at) {
                Some(parent) => at = *parent as u32,
                None => return false,
            }
        }
        false
    };
    parents.keys().copied().filter(|pid| descends(*pid)).collect()
}

/// A process in a group of its own that is ended, with its descendants, when this is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

fn field(status: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
