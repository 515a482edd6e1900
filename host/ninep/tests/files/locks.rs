//! Locks: among processes of one guest and of several.

use super::client::{Answer, Body, Client, Parts, errno, flag};
use super::folder;
use ninep::Export;

const SHARED: u8 = 0;
const EXCLUSIVE: u8 = 1;
const UNLOCK: u8 = 2;
const GRANTED: Answer<u8> = Ok(0);
const BLOCKED: Answer<u8> = Ok(1);

fn lock(c: &mut Client, fid: u32, kind: u8, range: (u64, u64), process: u32) -> Answer<u8> {
    let body = Body::default().u32(fid).u8(kind).u32(0).u64(range.0).u64(range.1);
    c.call(52, body.u32(process).text("guest")).map(|answer| Parts(&answer).u8())
}

/// Who stands against a lock: kind, range, process.
fn against(
    c: &mut Client,
    fid: u32,
    kind: u8,
    range: (u64, u64),
    process: u32,
) -> (u8, u64, u64, u32) {
    let body = Body::default().u32(fid).u8(kind).u64(range.0).u64(range.1);
    let answer = c.call(54, body.u32(process).text("guest")).unwrap();
    let parts = &mut Parts(&answer);
    (parts.u8(), parts.u64(), parts.u64(), parts.u32())
}

fn two() -> (tempfile::TempDir, Client, u32, Client, u32) {
    let folder = folder();
    let export = Export::open(&folder.path().join("inside")).unwrap();
    let (mut a, mut b) = (Client::new(export.server()), Client::new(export.server()));
    a.put("f", b"content").unwrap();
    let fids = (a.open("f", flag::READ_WRITE).unwrap(), b.open("f", flag::READ_WRITE).unwrap());
    (folder, a, fids.0, b, fids.1)
}

#[test]
fn locks_of_one_guest_hold_against_another() {
    let (_folder, mut a, x, mut b, y) = two();
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (0, 10), 1), GRANTED);
    assert_eq!(
        lock(&mut b, y, EXCLUSIVE, (9, 1), 1),
        BLOCKED,
        "the same number is another process"
    );
    assert_eq!(lock(&mut b, y, SHARED, (0, 0), 1), BLOCKED);
    assert_eq!(lock(&mut b, y, SHARED, (10, 0), 1), GRANTED);
    assert_eq!(against(&mut b, y, SHARED, (5, 100), 1), (EXCLUSIVE, 0, 10, 1));
    assert_eq!(against(&mut a, x, SHARED, (5, 100), 1), (UNLOCK, 5, 100, 1), "shared with shared");
    assert_eq!(against(&mut a, x, EXCLUSIVE, (5, 100), 1), (SHARED, 10, 0, 1));
    assert_eq!(lock(&mut a, x, UNLOCK, (0, 0), 1), GRANTED);
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (0, 0), 1), GRANTED);
    let (other, open) = (a.create("g", flag::WRITE, 0o600).unwrap(), a.walk("f").unwrap());
    assert_eq!(lock(&mut a, other, EXCLUSIVE, (0, 0), 1), GRANTED, "another file");
    assert_eq!(lock(&mut a, open, EXCLUSIVE, (0, 0), 1), Err(errno::BADF), "not open");
}

#[test]
fn a_process_changes_what_it_has() {
    let (_folder, mut a, x, mut b, y) = two();
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (0, 100), 1), GRANTED);
    // The middle becomes shared, then nothing; both sides stay.
    assert_eq!(lock(&mut a, x, SHARED, (40, 20), 1), GRANTED);
    assert_eq!(lock(&mut b, y, SHARED, (45, 5), 9), GRANTED);
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (40, 20), 1), BLOCKED);
    assert_eq!(lock(&mut a, x, UNLOCK, (40, 20), 1), GRANTED);
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (40, 20), 9), GRANTED);
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (39, 1), 9), BLOCKED);
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (60, 1), 9), BLOCKED);
    assert_eq!(against(&mut b, y, SHARED, (50, 0), 9), (EXCLUSIVE, 60, 40, 1));
    assert_eq!(against(&mut b, y, SHARED, (0, 50), 9), (EXCLUSIVE, 0, 40, 1));
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (100, 0), 9), GRANTED);
}

#[test]
fn locks_end_with_their_fid_their_session_and_their_guest() {
    let (_folder, mut a, x, mut b, y) = two();
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (0, 0), 1), GRANTED);
    let again = a.open("f", flag::READ).unwrap();
    a.clunk(again).unwrap();
    assert_eq!(lock(&mut b, y, SHARED, (0, 0), 1), BLOCKED, "another fid of the file ended");
    a.clunk(x).unwrap();
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (0, 0), 1), GRANTED);
    b.version(8192);
    let x = a.open("f", flag::READ_WRITE).unwrap();
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (0, 0), 1), GRANTED);
    let mut b = {
        let export_of_b = b;
        drop(a);
        export_of_b
    };
    b.call(104, Body::default().u32(50).u32(!0).text("").text("").u32(0)).unwrap();
    let y = b.walk_from(50, &[b"f"]).unwrap();
    b.open_fid(y, flag::READ_WRITE).unwrap();
    assert_eq!(lock(&mut b, y, EXCLUSIVE, (0, 0), 1), GRANTED);
}

#[test]
fn absurd_locks_are_refused_and_many_are_too_many() {
    let (_folder, mut a, x, ..) = two();
    assert_eq!(lock(&mut a, x, 3, (0, 0), 1), Err(errno::INVAL));
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (u64::MAX, 2), 1), Err(errno::OVERFLOW));
    assert_eq!(lock(&mut a, x, EXCLUSIVE, (u64::MAX, 1), 1), GRANTED);
    let body = Body::default().u32(x).u8(1).u32(0).u64(0).u64(0).u32(1).text([b'c'; 256]);
    assert_eq!(a.call(52, body), Err(errno::NAMETOOLONG));
    let refused = (0..5_000).find(|i| lock(&mut a, x, SHARED, (2 * i, 1), 1) == Err(errno::NOLCK));
    assert!(refused.is_some_and(|count| count > 4_000), "{refused:?}");
    assert_eq!(lock(&mut a, x, UNLOCK, (0, 0), 1), GRANTED);
    assert_eq!(lock(&mut a, x, SHARED, (0, 1), 1), GRANTED);
}
