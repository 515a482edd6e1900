//! Directories: large ones, and such that change while they are read.

use super::client::{ROOT, errno, flag};
use super::{client, folder};
use std::collections::BTreeSet;

const MANY: usize = 10_000;

fn fill(folder: &tempfile::TempDir, count: usize) {
    for i in 0..count {
        std::fs::write(folder.path().join(format!("inside/{i:05}")), "").unwrap();
    }
}

#[test]
fn ten_thousand_entries_are_all_there_once() {
    let folder = folder();
    fill(&folder, MANY);
    let mut c = client(&folder);
    for count in [500, 4096, 1 << 20] {
        let names = c.names("", count).unwrap();
        assert_eq!(names.len(), MANY, "in pieces of {count}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), MANY);
    }
}

#[test]
fn entries_say_what_they_are() {
    let folder = folder();
    let mut c = client(&folder);
    c.mkdir("d", 0o755).unwrap();
    c.put("d/f", b"").unwrap();
    c.symlink(b"x", "d/l").unwrap();
    c.mkdir("d/e", 0o755).unwrap();
    let fid = c.open("d", flag::READ).unwrap();
    let entries = c.entries(fid, 0, 4096).unwrap();
    let find = |name: &[u8]| entries.iter().find(|entry| entry.name == name).unwrap().clone();
    for (name, kind) in [("f", 8), ("l", 10), ("e", 4)] {
        let entry = find(name.as_bytes());
        let qid = c.stat(&format!("d/{name}")).unwrap().qid;
        assert_eq!((entry.kind, entry.qid.kind, entry.qid.path), (kind, qid.kind, qid.path));
    }
    assert_eq!(find(b".").qid.path, c.stat("d").unwrap().qid.path);
    assert_eq!(find(b"..").qid.path, c.stat("").unwrap().qid.path);
    let fid = c.open("", flag::READ).unwrap();
    let root = c.entries(fid, 0, 4096).unwrap();
    let up = root.iter().find(|entry| entry.name == b"..").unwrap();
    assert_eq!(up.qid.path, c.getattr(ROOT).unwrap().qid.path, "nothing is above the folder");
    assert_eq!(c.entries(fid, 0, 10), Err(errno::INVAL), "room for none");
    assert_eq!(c.read(fid, 0, 100), Err(errno::ISDIR));
    let file = c.open("d/f", flag::READ).unwrap();
    assert_eq!(c.entries(file, 0, 100), Err(errno::NOTDIR));
}

#[test]
fn what_stays_is_listed_once_while_others_come_and_go() {
    let folder = folder();
    fill(&folder, 2_000);
    let mut c = client(&folder);
    let fid = c.open("", flag::READ).unwrap();
    let (mut seen, mut offset) = (Vec::new(), 0);
    loop {
        let entries = c.entries(fid, offset, 1_000).unwrap();
        let Some(last) = entries.last() else { break };
        offset = last.cookie;
        for entry in entries {
            let name = String::from_utf8(entry.name).unwrap();
            // Every second file is removed as soon as it is seen, as `rm -r` does, and others come.
            if let Ok(number) = name.parse::<usize>()
                && number % 2 == 0
            {
                c.unlink(&name, 0).unwrap();
                c.put(&format!("new{number}"), b"").unwrap();
            }
            seen.push(name);
        }
    }
    seen.retain(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(seen.len(), 2_000);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 2_000);
}

#[test]
fn a_place_in_a_directory_can_be_gone_back_to() {
    let folder = folder();
    fill(&folder, 3_000);
    let mut c = client(&folder);
    let fid = c.open("", flag::READ).unwrap();
    let first = c.entries(fid, 0, 2_000).unwrap();
    let second = c.entries(fid, first.last().unwrap().cookie, 2_000).unwrap();
    let middle = first.len() / 2;
    let again = c.entries(fid, first[middle].cookie, 2_000).unwrap();
    assert_eq!(again[..first.len() - middle - 1], first[middle + 1..]);
    assert_eq!(c.entries(fid, first.last().unwrap().cookie, 2_000).unwrap(), second);
    // From the beginning again: what came meanwhile is there.
    c.put("new", b"").unwrap();
    assert!(c.names("", 4096).unwrap().contains(&b"new".to_vec()));
}
