//! The tree of a command out of `/proc`, for kernels without control groups. Best effort by nature: a
//! process that left its session, lost its parents and cleared its environment is not found.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Pid;

/// The variable whose value marks all of a command's processes.
pub const MARKER: &str = "XPRESSCLAW_COMMAND";

/// One line of the table.
struct Entry {
    pid: i32,
    parent: i32,
    session: i32,
}

/// Whoever carries the marker, is in the session of `root`, or descends from one who is.
pub fn members(marker: &str, root: Option<Pid>) -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let root = root.map(|root| root.as_raw_nonzero().get());
    let table: Vec<Entry> = table().into_iter().filter(|entry| entry.pid != own).collect();
    let mut found: BTreeSet<i32> = table
        .iter()
        .filter(|entry| {
            Some(entry.pid) == root || Some(entry.session) == root || carries(entry.pid, marker)
        })
        .map(|entry| entry.pid)
        .collect();
    // Each pass finds at least one generation.
    loop {
        let before = found.len();
        for entry in &table {
            if found.contains(&entry.parent) {
                found.insert(entry.pid);
            }
        }
        if found.len() == before {
            break;
        }
    }
    found.into_iter().filter_map(Pid::from_raw).collect()
}

/// All processes that are not dead.
fn table() -> Vec<Entry> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// `proc_pid_stat(5)`: the name is in parentheses and may hold any character.
fn parse(pid: i32, stat: &str) -> Option<Entry> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Entry { pid, parent, session })
}

fn carries(pid: i32, marker: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let wanted = format!("{MARKER}={marker}");
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_table_are_read_whatever_the_name() {
        let entry = parse(7, "7 (a) b (c) S 3 7 5 0 -1 4194560 1").unwrap();
        assert_eq!((entry.pid, entry.parent, entry.session), (7, 3, 5));
        assert!(parse(7, "7 (x) Z 3 7 5 0").is_none(), "the dead count for nothing");
        for broken in ["", "7 x", "7 (x) S", "7 (x) S a b c"] {
            assert!(parse(7, broken).is_none(), "{broken:?}");
        }
    }
}
