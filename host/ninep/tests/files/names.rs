//! Names: links, moves, removals, and names that are no text.

use super::client::{Body, ROOT, errno, flag};
use super::{client, folder};
use std::os::unix::ffi::OsStrExt;

#[test]
fn links_are_stored_and_never_followed() {
    let folder = folder();
    let mut c = client(&folder);
    for (target, name) in [
        (&b"/etc/passwd"[..], "absolute"),
        (b"../secret", "up"),
        (b"\xff\n", "odd"),
        (b"up", "two"),
    ] {
        c.symlink(target, name).unwrap();
        assert_eq!(c.readlink(name).unwrap(), target);
        let host = std::fs::read_link(folder.path().join("inside").join(name)).unwrap();
        assert_eq!(host.as_os_str().as_bytes(), target);
        assert_eq!(c.stat(name).unwrap().qid.kind, 2);
        assert_eq!(c.open(name, flag::READ), Err(errno::LOOP));
        assert_eq!(c.create(name, flag::WRITE, 0o644), Err(errno::LOOP));
        assert_eq!(c.create(name, flag::WRITE | flag::EXCLUSIVE, 0o644), Err(errno::EXIST));
        let fid = c.walk(name).unwrap();
        assert_eq!(c.walk_from(fid, &[b"x"]), Err(errno::NOTDIR));
        assert_eq!(c.setattr(fid, 8, 0, 0, (0, 0)), Err(errno::LOOP), "its target keeps its size");
    }
    assert_eq!(c.symlink(&[b'a'; 4096], "long"), Err(errno::NAMETOOLONG));
    assert_eq!(c.symlink(b"", "empty"), Err(errno::NOENT));
    c.link("up", "again").unwrap();
    assert_eq!(c.readlink("again").unwrap(), b"../secret", "a second name of the link itself");
    c.put("f", b"").unwrap();
    assert_eq!(c.readlink("f"), Err(errno::INVAL));
}

#[test]
fn a_file_has_as_many_names_as_it_is_given() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", b"one").unwrap();
    c.mkdir("d", 0o755).unwrap();
    c.link("f", "d/g").unwrap();
    assert_eq!(c.stat("f").unwrap().links, 2);
    assert_eq!(c.stat("f").unwrap().qid, c.stat("d/g").unwrap().qid);
    assert_eq!(c.link("f", "d/g"), Err(errno::EXIST));
    assert_eq!(c.link("d", "e"), Err(errno::PERM));
    c.unlink("f", 0).unwrap();
    assert_eq!(c.get("d/g").unwrap(), b"one");
}

#[test]
fn moving_replaces_and_what_was_held_moves_along() {
    let folder = folder();
    let mut c = client(&folder);
    c.mkdir("a", 0o755).unwrap();
    c.mkdir("b", 0o755).unwrap();
    c.put("a/f", b"f").unwrap();
    c.put("g", b"g").unwrap();
    c.rename("g", "a/f").unwrap();
    assert_eq!(c.get("a/f").unwrap(), b"g");
    let inner = c.walk("a/f").unwrap();
    assert_eq!(c.rename("b", "a"), Err(errno::NOTEMPTY));
    assert_eq!(c.rename("a", "a/x"), Err(errno::INVAL));
    c.rename("a", "b").unwrap();
    assert_eq!(c.stat("a"), Err(errno::NOENT));
    // The older messages work by the fid, which knows where it is by now.
    let b = c.walk("b").unwrap();
    c.call(20, Body::default().u32(inner).u32(b).text("renamed")).unwrap();
    assert_eq!(c.names("b", 4096).unwrap(), [b"renamed"]);
    let other = c.walk("b/renamed").unwrap();
    c.call(122, Body::default().u32(inner)).unwrap();
    assert_eq!(c.names("b", 4096).unwrap(), [b""; 0]);
    assert_eq!(c.getattr(inner), Err(errno::BADF), "it ended with its file");
    // Another file of the same name is not the one that the fid means.
    c.put("b/renamed", b"").unwrap();
    assert_eq!(c.call(122, Body::default().u32(other)), Err(errno::STALE));
    assert_eq!(c.call(122, Body::default().u32(ROOT)), Err(errno::BUSY));
    c.call(100, Body::default().u32(8192).text("9P2000.L")).unwrap();
}

#[test]
fn what_is_removed_must_be_what_it_is_said_to_be() {
    let folder = folder();
    let mut c = client(&folder);
    c.mkdir("d", 0o755).unwrap();
    c.put("d/f", b"").unwrap();
    assert_eq!(c.unlink("d", 0), Err(errno::ISDIR));
    assert_eq!(c.unlink("d", 0x200), Err(errno::NOTEMPTY));
    assert_eq!(c.unlink("d/f", 0x200), Err(errno::NOTDIR));
    assert_eq!(c.unlink("d/f", 1), Err(errno::INVAL));
    assert_eq!(c.unlink("x", 0), Err(errno::NOENT));
    c.unlink("d/f", 0).unwrap();
    c.unlink("d", 0x200).unwrap();
    assert_eq!(c.names("", 4096).unwrap(), [b""; 0]);
}

#[test]
fn names_are_bytes() {
    let folder = folder();
    let mut c = client(&folder);
    let names: [&[u8]; 5] = [b"\xff\xfe", b"line\nbreak", b"...", b" ", &[b'n'; 255]];
    for name in names {
        let fid = c.walk("").unwrap();
        c.create_at(fid, name, flag::WRITE, 0o644).unwrap();
        c.walk_from(ROOT, &[name]).unwrap();
    }
    let mut sorted = names.map(<[u8]>::to_vec);
    sorted.sort();
    assert_eq!(c.names("", 4096).unwrap(), sorted);
    let fid = c.walk("").unwrap();
    assert_eq!(c.create_at(fid, [b'n'; 256], flag::WRITE, 0o644), Err(errno::NAMETOOLONG));
    assert_eq!(c.walk_from(ROOT, &[&[b'n'; 256]]), Err(errno::NAMETOOLONG));
}

#[test]
fn fifos_and_sockets_are_names_and_devices_are_refused() {
    let folder = folder();
    let mut c = client(&folder);
    c.mknod("fifo", 0o010_640).unwrap();
    c.mknod("socket", 0o140_600).unwrap();
    c.mknod("file", 0o100_604).unwrap();
    for (name, mode) in [("fifo", 0o010_640), ("socket", 0o140_600), ("file", 0o100_604)] {
        assert_eq!(c.stat(name).unwrap().mode, mode);
    }
    // None of these waits for somebody at the other end.
    for name in ["fifo", "socket"] {
        for flags in [flag::READ, flag::WRITE, flag::READ_WRITE | flag::TRUNCATE] {
            assert_eq!(c.open(name, flags), Err(errno::NXIO));
            assert_eq!(c.create(name, flags, 0o600), Err(errno::NXIO));
        }
        let fid = c.walk(name).unwrap();
        assert_eq!(c.setattr(fid, 8, 0, 0, (0, 0)), Err(errno::NXIO));
    }
    for device in [0o020_666, 0o060_666] {
        assert_eq!(c.mknod("device", device), Err(errno::PERM));
    }
    assert_eq!(c.mknod("directory", 0o040_755), Err(errno::INVAL));
    assert_eq!(c.mknod("nothing", 0o644), Err(errno::INVAL));
}
