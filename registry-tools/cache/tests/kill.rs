//! A process that is killed at any write, or whose disk is full there, leaves a cache that works.

#![allow(clippy::unwrap_used)]

use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use artifact::Digest;
use cache::{Cache, CacheError};

const FOLDER: &str = "CACHE_TEST_FOLDER";
const LAST_STEP: &str = "CACHE_TEST_LAST_STEP";
const CONTENT: &[u8] = b"the content of a component, in two parts";
const NAME: &str = "localhost/x:latest";

/// What a pull does: content in parts, then the name of it.
fn write(cache: &Cache) -> Result<(), CacheError> {
    let digest = Digest::of(CONTENT);
    let held = cache.hold(&digest)?;
    if cache.read(&digest, 100)?.is_none() {
        let mut incoming = cache.incoming(&digest, CONTENT.len() as u64, &held)?;
        let from = usize::try_from(incoming.length()).unwrap();
        for part in CONTENT[from..].chunks(16) {
            incoming.append(part)?;
        }
        incoming.finish()?;
    }
    cache.keep_record(NAME, digest)
}

fn check(folder: &std::path::Path, context: &str) {
    let cache = Cache::new(folder);
    let digest = Digest::of(CONTENT);
    if let Some(record) = cache.record(NAME).unwrap() {
        assert!(cache.has(&record.digest), "{context}: a name without content");
    }
    if cache.has(&digest) {
        assert_eq!(cache.read(&digest, 100).unwrap().as_deref(), Some(CONTENT), "{context}");
    }
    write(&cache).unwrap();
    assert_eq!(cache.read(&digest, 100).unwrap().as_deref(), Some(CONTENT), "{context}");
    assert_eq!(cache.record(NAME).unwrap().unwrap().digest, digest, "{context}");
}

/// Runs the writes; the step with this number does `at`.
fn stepping(last: usize, at: fn() -> io::Result<()>) -> (cache::Step, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let step = Arc::new(
        move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) == last { at() } else { Ok(()) }
        },
    );
    (step, count)
}

#[test]
fn killed_at_every_write() {
    if let (Some(folder), Ok(last)) = (std::env::var_os(FOLDER), std::env::var(LAST_STEP)) {
        // The process that is killed: abort runs no destructors and flushes nothing.
        let (step, _) = stepping(last.parse().unwrap(), || std::process::abort());
        write(&Cache::new(folder).with_steps(step)).unwrap();
        return;
    }
    let mut killed = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_at_every_write"])
            .env(FOLDER, folder.path())
            .env(LAST_STEP, killed.to_string())
            .output()
            .unwrap()
            .status;
        check(folder.path(), &format!("killed at write {killed}"));
        if status.success() {
            break;
        }
        assert_eq!(status.code(), None, "it was killed, and did not fail otherwise");
        killed += 1;
    }
    let (step, count) = stepping(usize::MAX, || Ok(()));
    write(&Cache::new(tempfile::tempdir().unwrap().path()).with_steps(step)).unwrap();
    assert_eq!(killed, count.load(Ordering::SeqCst), "at each write once");
    assert!(killed >= 11, "{killed}");
}

#[test]
fn a_full_disk_at_every_write() {
    for last in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (step, _) = stepping(last, || Err(io::ErrorKind::StorageFull.into()));
        match write(&Cache::new(folder.path()).with_steps(step)) {
            Ok(()) => return assert!(last >= 11, "{last}"),
            Err(error) => assert!(matches!(error, CacheError::DiskFull { .. }), "{error}"),
        }
        check(folder.path(), &format!("full at write {last}"));
    }
}

#[test]
fn altered_content_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let digest = cache.put(CONTENT).unwrap();
    std::fs::write(cache.path(&digest), b"something else").unwrap();
    assert_eq!(cache.read(&digest, 100).unwrap(), None);
    assert!(!cache.has(&digest));
    assert_eq!(cache.put(CONTENT).unwrap(), digest);
    assert_eq!(cache.read(&digest, 100).unwrap().as_deref(), Some(CONTENT));
    assert!(matches!(cache.read(&digest, 3), Err(CacheError::TooLarge { .. })));
}

#[test]
fn wrong_bytes_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let digest = Digest::of(CONTENT);
    let held = cache.hold(&digest).unwrap();
    let size = CONTENT.len() as u64;
    for (bytes, wrong_size) in [
        (vec![b'x'; CONTENT.len()], false),
        (vec![b'x'; CONTENT.len() + 1], true),
        (CONTENT[1..].to_vec(), true),
    ] {
        let mut incoming = cache.incoming(&digest, size, &held).unwrap();
        let error = incoming.append(&bytes).and_then(|()| incoming.finish()).unwrap_err();
        assert_eq!(matches!(error, CacheError::WrongSize { .. }), wrong_size, "{error}");
        assert!(!cache.has(&digest));
        assert_eq!(cache.incoming(&digest, size, &held).unwrap().length(), 0);
    }
}

#[test]
fn room_is_made_and_what_is_pinned_stays() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let (pinned, other) = (cache.put(b"pinned").unwrap(), cache.put(b"other").unwrap());
    cache.keep_record("a", pinned).unwrap();
    cache.keep_record("b", other).unwrap();
    let age = std::time::Duration::from_secs(3600);
    let mut keep = cache::Keep { pinned: [pinned].into(), age, bytes: 11 };
    assert_eq!(cache.clean(&keep).unwrap().files, 0);
    keep.bytes = 10;
    let cleaned = cache.clean(&keep).unwrap();
    assert_eq!((cleaned.files, cleaned.bytes, cleaned.kept_bytes), (1, 5, 6));
    assert!(cache.has(&pinned) && !cache.has(&other));
    let names: Vec<_> = cache.records().unwrap().into_iter().map(|r| r.name).collect();
    assert_eq!(names, ["a"], "a name without content is forgotten");
}

#[test]
fn what_is_written_or_used_now_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1_000_000);
    let old = |digest: &Digest| {
        let file = std::fs::File::options().write(true).open(cache.path(digest)).unwrap();
        file.set_modified(long_ago).unwrap();
    };
    let [used, written, unused] = [b"used", b"kept", b"idle"].map(|text| cache.put(text).unwrap());
    [&used, &written, &unused].into_iter().for_each(old);
    cache.read(&used, 4).unwrap().unwrap();
    let held = cache.hold(&written).unwrap();
    let age = std::time::Duration::from_secs(100_000);
    let keep = cache::Keep { age, bytes: u64::MAX, ..cache::Keep::default() };
    assert_eq!(cache.clean(&keep).unwrap().files, 1);
    assert!(cache.has(&used) && cache.has(&written) && !cache.has(&unused));
    drop(held);
    assert_eq!(cache.clean(&keep).unwrap().files, 1);
    assert!(!cache.has(&written));
}
