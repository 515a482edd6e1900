//! What a guest may have at most. A program of its own: it takes descriptors from its whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test program")]

#[path = "../files/client.rs"]
#[allow(dead_code, reason = "each test program uses what it needs")]
mod client;

use client::{Client, ROOT, errno, flag};
use ninep::Server;
use ninep::limits::{MAX_FIDS, MAX_HELD, MAX_OPEN};
use std::fs;
use std::sync::Mutex;

/// No two of these tests at once: they count descriptors.
static ALONE: Mutex<()> = Mutex::new(());

/// The process has none left.
const MFILE: u32 = 24;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn fids_end_at_the_limit_and_few_of_them_are_descriptors() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    for i in 0..MAX_FIDS {
        fs::write(folder.path().join(i.to_string()), "").unwrap();
    }
    let before = descriptors();
    let mut c = Client::new(Server::new(folder.path()).unwrap());
    let mut fids = Vec::new();
    let refused = (0..MAX_FIDS).find_map(|i| match c.walk(&i.to_string()) {
        Ok(fid) => {
            fids.push(fid);
            None
        }
        Err(error) => Some((i, error)),
    });
    assert_eq!(refused, Some((MAX_FIDS - 1, errno::NFILE)), "the folder has one");
    let (held, most) = (descriptors() - before, MAX_HELD + 10);
    assert!(held <= most, "{held}");
    // All are what they were, found again by their names and where they were moved to.
    c.rename("1", "moved").unwrap_err();
    c.clunk(fids.pop().unwrap()).unwrap();
    c.clunk(fids.pop().unwrap()).unwrap();
    c.rename("1", "moved").unwrap();
    for fid in [fids[0], fids[1], fids[100], fids[5_000]] {
        assert_eq!(c.getattr(fid).unwrap().size, 0);
    }
    // One whose name is another file's now is lost, not mistaken.
    fs::write(folder.path().join("new"), "other").unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("2000")).unwrap();
    assert_eq!(c.getattr(fids[2_000]), Err(errno::STALE));
    fs::remove_file(folder.path().join("2001")).unwrap();
    assert_eq!(c.getattr(fids[2_001]), Err(errno::STALE));
    c.clunk(fids[2_001]).unwrap();
}

#[test]
fn open_fids_end_at_the_limit_or_where_the_system_ends_them() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f"), "content").unwrap();
    let mut c = Client::new(Server::new(folder.path()).unwrap());
    let mut open = Vec::new();
    let error = loop {
        match c.open("f", flag::READ) {
            Ok(fid) => open.push(fid),
            Err(error) => break error,
        }
        assert!(open.len() <= MAX_OPEN);
    };
    assert!(matches!(error, errno::NFILE | MFILE), "{error}");
    assert!(error != errno::NFILE || open.len() == MAX_OPEN, "{}", open.len());
    for fid in &open[..10] {
        assert_eq!(c.read(*fid, 0, 100).unwrap(), b"content", "the others go on");
    }
    for fid in open {
        c.clunk(fid).unwrap();
    }
    c.getattr(ROOT).unwrap();
    let fid = c.open("f", flag::READ).unwrap();
    assert_eq!(c.read(fid, 0, 100).unwrap(), b"content");
}

#[test]
fn a_file_that_is_open_needs_no_name() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let mut c = Client::new(Server::new(folder.path()).unwrap());
    let fid = c.create("f", flag::READ_WRITE, 0o600).unwrap();
    c.unlink("f", 0).unwrap();
    for i in 0..2 * MAX_HELD {
        c.walk("").unwrap_or_else(|error| panic!("{i}: {error}"));
    }
    c.write(fid, 0, b"still there").unwrap();
    assert_eq!(c.getattr(fid).unwrap().size, 11, "its descriptor was let go and had again");
    c.setattr(fid, 1, 0o640, 0, (0, 0)).unwrap();
    assert_eq!(c.getattr(fid).unwrap().mode, 0o100_640);
}
