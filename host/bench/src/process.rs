//! A process under measurement, with its descendants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
    let mut sum = Memory::default();
    for pid in parents.keys().copied().filter(|pid| descends(*pid)) {
        let status = Path::new("/proc").join(pid.to_string()).join("status");
        sum.peak += field(&status, "VmHWM:").unwrap_or(0);
        sum.anonymous += field(&status, "RssAnon:").unwrap_or(0);
    }
    sum
}

fn field(status: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
