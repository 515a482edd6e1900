//! Clients that want out, or want more than they may have.

use super::client::{Body, Client, NO_FID, Parts, ROOT, errno, flag};
use super::{client, folder};
use ninep::Server;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn no_name_leads_out() {
    let folder = folder();
    let mut c = client(&folder);
    c.mkdir("d", 0o755).unwrap();
    for name in [&b"../secret"[..], b"/etc/passwd", b"d/../../secret", b"", b".", b"a\0b"] {
        assert_eq!(c.walk_from(ROOT, &[name]), Err(errno::INVAL), "{name:?}");
    }
    for names in
        [&[&b".."[..], b"secret"][..], &[b"d", b"..", b"..", b"secret"], &[b"..", b"inside"]]
    {
        assert_eq!(c.walk_from(ROOT, names), Err(errno::NOENT), "above the folder is the folder");
    }
    let up = c.walk_from(ROOT, &[b"d", b"..", b"..", b"..", b"d"]).unwrap();
    assert_eq!(c.getattr(up).unwrap().qid, c.stat("d").unwrap().qid);
    for name in ["..", ".", "", "../x", "/x", "d/x"] {
        let root = || Body::default().u32(ROOT);
        for (kind, body) in [
            (14, root().text(name).u32(1).u32(0o644).u32(0)),
            (72, root().text(name).u32(0o755).u32(0)),
            (18, root().text(name).u32(0o100_644).u32(0).u32(0).u32(0)),
            (16, root().text(name).text("x").u32(0)),
            (70, root().u32(up).text(name)),
            (20, Body::default().u32(up).u32(ROOT).text(name)),
            (74, root().text("d").u32(ROOT).text(name)),
            (74, root().text(name).u32(ROOT).text("e")),
            (76, root().text(name).u32(0)),
            (76, root().text(name).u32(0x200)),
        ] {
            assert_eq!(c.call(kind, body), Err(errno::INVAL), "{kind} {name:?}");
        }
    }
    assert_eq!(
        c.call(104, Body::default().u32(9).u32(NO_FID).text("").text("..").u32(0)),
        Err(errno::NOENT)
    );
    assert_eq!(c.names("", 4096).unwrap(), [b"d"]);
}

#[test]
fn no_link_of_the_host_leads_out() {
    let folder = folder();
    let inside = folder.path().join("inside");
    symlink("..", inside.join("up")).unwrap();
    symlink(folder.path().join("secret"), inside.join("file")).unwrap();
    symlink("/proc/self/root", inside.join("magic")).unwrap();
    let mut c = client(&folder);
    assert_eq!(c.walk("up/secret"), Err(errno::NOENT), "the way breaks off at the link");
    let up = c.walk("up").unwrap();
    assert_eq!(c.walk_from(up, &[b"secret"]), Err(errno::NOTDIR));
    assert_eq!(c.create_at(up, "x", flag::WRITE, 0o644), Err(errno::NOTDIR));
    for name in ["up", "file", "magic"] {
        assert_eq!(c.open(name, flag::READ), Err(errno::LOOP));
        assert_eq!(c.create(name, flag::WRITE | flag::TRUNCATE, 0o644), Err(errno::LOOP));
    }
    c.unlink("file", 0).unwrap();
    assert_eq!(std::fs::read(folder.path().join("secret")).unwrap(), b"outside");
}

#[test]
fn the_way_up_from_what_was_moved_out_leads_nowhere() {
    let folder = folder();
    let mut c = client(&folder);
    c.mkdir("d", 0o755).unwrap();
    let fid = c.walk("d").unwrap();
    std::fs::rename(folder.path().join("inside/d"), folder.path().join("moved")).unwrap();
    assert_eq!(c.walk_from(fid, &[b"..", b"secret"]), Err(errno::NOENT));
    let up = c.walk_from(fid, &[b".."]).unwrap();
    assert_eq!(c.getattr(up).unwrap().qid, c.getattr(ROOT).unwrap().qid);
}

/// Somebody of the host exchanges a directory for a link that leads out, as fast as they can.
#[test]
fn no_exchange_in_between_leads_out() {
    let folder = folder();
    let inside = folder.path().join("inside");
    std::fs::create_dir(inside.join("real")).unwrap();
    std::fs::write(inside.join("real/secret"), "inside").unwrap();
    symlink(folder.path(), inside.join("link")).unwrap();
    let done = AtomicBool::new(false);
    let exchange = || {
        while !done.load(Ordering::Relaxed) {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            let (real, link) = (inside.join("real"), inside.join("link"));
            rustix::fs::renameat_with(rustix::fs::CWD, real, rustix::fs::CWD, link, flags).unwrap();
        }
    };
    let mut reads = 0;
    std::thread::scope(|scope| {
        scope.spawn(exchange);
        let mut c = client(&folder);
        for _ in 0..20_000 {
            if let Ok(content) = c.get("real/secret") {
                assert_eq!(content, b"inside");
                reads += 1;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(reads > 100, "{reads}: the directory is there half of the time");
}

#[test]
fn fids_must_be_known_and_free() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", b"").unwrap();
    let fid = c.open("f", flag::READ).unwrap();
    for kind in [24, 8, 22, 120, 122] {
        let body = Body::default().u32(9999);
        let body = if kind == 24 { body.u64(0) } else { body };
        assert_eq!(c.call(kind, body), Err(errno::BADF), "{kind}");
    }
    let walk = |from: u32, new: u32| Body::default().u32(from).u32(new).u16(0);
    assert_eq!(c.call(110, walk(ROOT, fid)), Err(errno::BADF), "it is in use");
    assert_eq!(c.call(110, walk(ROOT, NO_FID)), Err(errno::BADF));
    assert_eq!(c.call(110, walk(fid, fid)), Err(errno::BADF), "it is open");
    let attach = |auth: u32, fid: u32| Body::default().u32(fid).u32(auth).text("").text("").u32(0);
    assert_eq!(c.call(104, attach(NO_FID, ROOT)), Err(errno::BADF));
    assert_eq!(c.call(104, attach(5, 6)), Err(errno::OPNOTSUPP));
    let names = (0..17).fold(Body::default().u32(ROOT).u32(8).u16(17), |body, _| body.text("f"));
    assert_eq!(c.call(110, names), Err(errno::INVAL), "more names than a walk has");
    c.clunk(fid).unwrap();
    assert_eq!(c.clunk(fid), Err(errno::BADF));
}

#[test]
fn messages_must_be_whole_and_a_version_agreed() {
    let folder = folder();
    let new = || Server::new(&folder.path().join("inside")).unwrap();
    let error = |server: &mut Server, message: &[u8]| {
        let mut reply = vec![9; 100];
        server.handle(message, &mut reply);
        let mut parts = Parts(&reply);
        assert_eq!((parts.u32(), parts.u8()), (11, 7));
        (parts.u16(), parts.u32())
    };
    let version = |size: u32, version: &str| Body::default().u32(size).text(version);
    let mut server = new();
    assert_eq!(error(&mut server, b""), (!0, errno::PROTO));
    assert_eq!(error(&mut server, &[7, 0, 0, 0, 100, 1]), (!0, errno::PROTO));
    let attach = Body::default().u32(0).u32(NO_FID).text("").text("").u32(0).message(104, 3);
    assert_eq!(error(&mut server, &attach), (3, errno::PROTO), "no version yet");
    assert_eq!(error(&mut server, &version(100, "9P2000.L").message(100, 4)), (4, errno::INVAL));
    for (asked, answered) in [(4096, 4096), (512_000, 512_000), (u32::MAX, 512 << 10)] {
        let mut reply = Vec::new();
        server.handle(&version(asked, "9P2000.L").message(100, !0), &mut reply);
        assert_eq!(Parts(&reply[7..]).u32(), answered);
    }
    let mut reply = Vec::new();
    server.handle(&version(8192, "9P2000.u").message(100, !0), &mut reply);
    let mut parts = Parts(&reply[7..]);
    assert_eq!((parts.u32(), parts.text()), (8192, b"unknown".to_vec()));
    let mut c = Client::new(new());
    let short = Body::default().u32(ROOT).message(24, 5);
    assert_eq!(error(&mut c.server, &short), (5, errno::PROTO), "half of the content");
    let long = Body::default().u32(ROOT).u64(0).u8(0).message(24, 5);
    assert_eq!(error(&mut c.server, &long), (5, errno::PROTO), "more than the content");
    let mut lying = Body::default().u32(ROOT).u64(0).message(24, 5);
    lying[0] += 1;
    assert_eq!(error(&mut c.server, &lying), (5, errno::PROTO), "another size than it has");
    for kind in [0, 6, 7, 13, 30, 32, 102, 112, 114, 124, 126, 255] {
        assert_eq!(c.call(kind, Body::default()), Err(errno::OPNOTSUPP), "{kind}");
    }
    assert_eq!(c.call(108, Body::default().u16(5)), Ok(vec![]), "nothing is left to flush");
}

#[test]
fn no_answer_is_longer_than_agreed_and_no_count_is_believed() {
    let folder = folder();
    let mut c = client(&folder);
    c.put("f", &[7; 100_000]).unwrap();
    c.version(4096);
    c.call(104, Body::default().u32(ROOT).u32(NO_FID).text("").text("").u32(0)).unwrap();
    let fid = c.open("f", flag::READ_WRITE).unwrap();
    assert_eq!(c.read(fid, 0, u32::MAX).unwrap().len(), 4096 - 11);
    assert_eq!(c.read(fid, u64::MAX, 10), Err(errno::INVAL));
    assert_eq!(c.write(fid, u64::MAX, b"x"), Err(errno::INVAL));
    let root = c.open("", flag::READ).unwrap();
    assert!(!c.entries(root, 0, u32::MAX).unwrap().is_empty());
    let body = Body::default().u32(fid).u64(0).u32(u32::MAX);
    assert_eq!(c.call(118, body), Err(errno::PROTO), "more data than there is");
    let body = Body(vec![0; 5000]);
    assert_eq!(c.call(118, body), Err(errno::PROTO), "a message longer than agreed");
}
