//! Files: contents, modes, sizes, times, and that a fid stays with its file.

use super::client::{ROOT, errno, flag};
use super::{client, folder};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

#[test]
fn what_is_written_is_there_on_both_sides() {
    let folder = folder();
    let mut c = client(&folder);
    assert_eq!(c.size, 512 << 10, "the server's own limit");
    c.mkdir("a", 0o755).unwrap();
    c.put("a/f", b"hello").unwrap();
    let file = folder.path().join("inside/a/f");
    assert_eq!(std::fs::read(&file).unwrap(), b"hello");
    std::fs::write(&file, "from the host").unwrap();
    assert_eq!(c.get("a/f").unwrap(), b"from the host");
    let fid = c.open("a/f", flag::READ).unwrap();
    assert_eq!(c.read(fid, 9, 100).unwrap(), b"host");
    assert_eq!(c.read(fid, 100, 100).unwrap(), b"");
    assert_eq!(c.write(fid, 0, b"no"), Err(errno::BADF), "opened for reading");
    let attributes = c.getattr(fid).unwrap();
    assert_eq!((attributes.owner, attributes.size), ((0, 0), 13));
    assert_eq!(attributes.qid.path, std::fs::metadata(&file).unwrap().ino());
    assert_eq!(c.open_fid(fid, flag::READ), Err(errno::BADF), "it is open");
    assert_eq!(c.open("a", flag::WRITE), Err(errno::ISDIR));
    assert_eq!(c.read(ROOT, 0, 1), Err(errno::BADF), "it is not open");
}

#[test]
fn appending_goes_to_the_end_and_truncating_empties() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", b"12345").unwrap();
    let fid = c.open("f", flag::WRITE | flag::APPEND).unwrap();
    std::fs::write(folder.path().join("inside/f"), "1234567").unwrap();
    c.write(fid, 0, b"end").unwrap();
    assert_eq!(c.get("f").unwrap(), b"1234567end");
    c.open("f", flag::WRITE | flag::TRUNCATE).unwrap();
    assert_eq!(c.get("f").unwrap(), b"");
    assert_eq!(c.create("f", flag::WRITE | flag::EXCLUSIVE, 0o600), Err(errno::EXIST));
    let fid = c.walk("f").unwrap();
    c.setattr(fid, 8, 0, 5000, (0, 0)).unwrap();
    assert_eq!(c.get("f").unwrap(), [0; 5000]);
    assert_eq!(c.setattr(fid, 8, 0, u64::MAX, (0, 0)), Err(errno::FBIG));
}

#[test]
fn modes_are_exact_but_for_what_would_give_the_users_rights_away() {
    let folder = folder();
    let mut c = client(&folder);
    for mode in [0o644, 0o600, 0o777, 0o444, 0o111, 0o000, 0o1777] {
        c.create("new", flag::READ_WRITE, mode).unwrap();
        assert_eq!(
            c.stat("new").unwrap().mode,
            0o100_000 | mode,
            "{mode:o}: whatever the umask is"
        );
        c.unlink("new", 0).unwrap();
        c.mkdir("new", mode).unwrap();
        assert_eq!(c.stat("new").unwrap().mode, 0o040_000 | mode, "{mode:o}");
        c.unlink("new", 0x200).unwrap();
    }
    let fid = c.create("f", flag::WRITE, 0o6755).unwrap();
    let host = || std::fs::metadata(folder.path().join("inside/f")).unwrap().permissions().mode();
    assert_eq!(host(), 0o100_755);
    c.setattr(fid, 1 | 2 | 4, 0o7700, 0, (0, 0)).unwrap();
    assert_eq!(host(), 0o101_700);
    assert_eq!(c.getattr(fid).unwrap().owner, (0, 0), "a new owner is accepted and forgotten");
    // A file may be made read-only and filled by who made it.
    let fid = c.create("r", flag::WRITE, 0o444).unwrap();
    c.write(fid, 0, b"content").unwrap();
    c.setattr(fid, 8, 0, 3, (0, 0)).unwrap();
    assert_eq!(c.get("r").unwrap(), b"con");
}

#[test]
fn times_are_set_and_move_the_version() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", b"").unwrap();
    let fid = c.walk("f").unwrap();
    let before = c.getattr(fid).unwrap().qid;
    c.setattr(fid, 0x20 | 0x100, 0, 0, (1_000_000_000, 123_456_789)).unwrap();
    let after = c.getattr(fid).unwrap();
    assert_eq!(after.modified, (1_000_000_000, 123_456_789));
    assert_eq!(after.qid.path, before.path);
    assert_ne!(after.qid.version, before.version);
    c.setattr(fid, 0x20 | 0x100, 0, 0, (-1i64 as u64, 0)).unwrap();
    assert_eq!(c.getattr(fid).unwrap().modified, (-1i64 as u64, 0), "before 1970");
    c.setattr(fid, 0x20, 0, 0, (0, 0)).unwrap();
    assert!(c.getattr(fid).unwrap().modified.0 > 1_000_000_000, "now");
    assert_eq!(c.setattr(fid, 0x20 | 0x100, 0, 0, (0, 1_000_000_000)), Err(errno::INVAL));
    c.symlink(b"nowhere", "l").unwrap();
    let link = c.walk("l").unwrap();
    c.setattr(link, 0x20 | 0x100, 0, 0, (5, 0)).unwrap();
    assert_eq!(c.getattr(link).unwrap().modified, (5, 0), "the link's own, which leads nowhere");
    assert_eq!(c.setattr(link, 1, 0o777, 0, (0, 0)), Err(errno::OPNOTSUPP));
}

#[test]
fn a_fid_stays_with_its_file() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", b"first").unwrap();
    let (open, closed) = (c.open("f", flag::READ_WRITE).unwrap(), c.walk("f").unwrap());
    c.rename("f", "g").unwrap();
    c.put("f", b"second").unwrap();
    assert_eq!(c.read(open, 0, 100).unwrap(), b"first");
    c.unlink("g", 0).unwrap();
    c.write(open, 0, b"still there").unwrap();
    assert_eq!(c.read(open, 0, 100).unwrap(), b"still there");
    let attributes = c.getattr(closed).unwrap();
    assert_eq!((attributes.links, attributes.size), (0, 11));
    c.setattr(closed, 8, 0, 5, (0, 0)).unwrap();
    c.open_fid(closed, flag::READ).unwrap();
    assert_eq!(c.read(closed, 0, 100).unwrap(), b"still", "opened after it was removed");
    // A file that was made and removed without being walked to.
    let made = c.create("h", flag::READ_WRITE, 0o600).unwrap();
    c.unlink("h", 0).unwrap();
    let copy = c.walk_from(made, &[]).unwrap();
    assert_eq!(c.getattr(copy).unwrap().links, 0);
    // A directory that was removed is empty and takes nothing.
    c.mkdir("d", 0o755).unwrap();
    let directory = c.walk("d").unwrap();
    c.unlink("d", 0x200).unwrap();
    assert_eq!(c.create_at(directory, "x", flag::WRITE, 0o600), Err(errno::NOENT));
    assert_eq!(c.get("f").unwrap(), b"second");
}
