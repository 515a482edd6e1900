//! Each call of the interface, allowed and denied.

use std::fs;

use files::FilesView as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, NewTimestamp, OpenFlags, PathFlags,
};

use crate::bench::{Bench, at, code, rules};

const DENIED: Result<(), ErrorCode> = Err(ErrorCode::Access);

#[tokio::test]
async fn without_rules_every_call_goes_through() {
    let mut guest = Bench::new(rules(&["tool:*"], &["host:*"]));
    guest.write("a", "text").await.unwrap();
    guest.make("d").await.unwrap();
    guest.rename("a", "d/b").await.unwrap();
    guest.link("d/b", "c").await.unwrap();
    guest.symlink("d/b", "s").await.unwrap();
    assert_eq!(guest.read("s").await.unwrap(), "text");
    guest.unlink("d/b").await.unwrap();
    guest.remove("d").await.unwrap();
    assert_eq!(guest.read("c").await.unwrap(), "text");
    assert_eq!(guest.read("../x").await, Err(ErrorCode::NotPermitted));
}

#[tokio::test]
async fn with_rules_what_they_do_not_concern_goes_through() {
    let mut guest = Bench::new(rules(&[], &["path:**/.env"]));
    guest.write("a", "text").await.unwrap();
    guest.make("d").await.unwrap();
    guest.make("d/e").await.unwrap();
    guest.rename("d", "f").await.unwrap();
    guest.rename("a", "f/e/b").await.unwrap();
    guest.link("f/e/b", "c").await.unwrap();
    guest.symlink("f/e", "s").await.unwrap();
    assert_eq!(guest.read("s/b").await.unwrap(), "text");
    assert_eq!(guest.read("s/../e/b").await.unwrap(), "text");
    let inner = guest.directory("f").await.unwrap();
    assert_eq!(guest.read_at(inner, "e/b").await.unwrap(), "text");
    // A directory that was moved is found where it is.
    guest.rename("f", "g").await.unwrap();
    assert_eq!(guest.read_at(inner, "e/b").await.unwrap(), "text");
    assert_eq!(guest.read("missing").await, Err(ErrorCode::NoEntry));
    assert_eq!(guest.read("../x").await, Err(ErrorCode::NotPermitted));
    guest.unlink("c").await.unwrap();
    assert_eq!(guest.remove("g").await, Err(ErrorCode::NotEmpty));
}

#[tokio::test]
async fn a_denied_file_can_neither_be_read_nor_changed() {
    let mut guest = Bench::new(rules(&[], &["path:**/.env"]));
    guest.file("sub/.env", "secret");
    guest.file("a", "text");
    assert_eq!(guest.read("sub/.env").await, Err(ErrorCode::Access));
    assert_eq!(guest.write("sub/.env", "x").await, DENIED);
    assert_eq!(guest.write(".env", "x").await, DENIED);
    assert_eq!(guest.unlink("sub/.env").await, DENIED);
    assert_eq!(guest.make("d/../.env").await, Err(ErrorCode::NoEntry));
    assert_eq!(guest.make(".env").await, DENIED);
    assert_eq!(guest.symlink("a", ".env").await, DENIED);
    assert_eq!(guest.rename("sub/.env", "b").await, DENIED);
    assert_eq!(guest.rename("a", ".env").await, DENIED);
    assert_eq!(guest.link("sub/.env", "b").await, DENIED);
    assert_eq!(guest.link("a", ".env").await, DENIED);
    assert_eq!(guest.rename("sub", "other").await, DENIED, "it would move along");
    assert_eq!(fs::read_to_string(guest.host("sub/.env")).unwrap(), "secret");
    assert!(!guest.host(".env").exists());
    // Its size can be seen, and that it is there.
    let workspace = at(guest.workspace);
    let stat = guest.files().stat_at(workspace, PathFlags::empty(), "sub/.env".into()).await;
    assert_eq!(code(stat).unwrap().size, 6);
}

#[tokio::test]
async fn reading_and_writing_have_rules_of_their_own() {
    let mut guest = Bench::new(rules(&[], &["path(write):src/**", "path(read):secret"]));
    guest.file("src/a", "text");
    guest.file("secret", "s");
    assert_eq!(guest.read("src/a").await.unwrap(), "text");
    let workspace = guest.workspace;
    for (open, flags) in [
        (OpenFlags::empty(), DescriptorFlags::WRITE),
        (OpenFlags::empty(), DescriptorFlags::READ | DescriptorFlags::WRITE),
        (OpenFlags::CREATE, DescriptorFlags::READ),
        (OpenFlags::TRUNCATE, DescriptorFlags::READ),
        (OpenFlags::CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::WRITE),
    ] {
        let opened = guest.open(workspace, "src/a", open, flags).await;
        assert_eq!(opened, Err(ErrorCode::Access), "{open:?} {flags:?}");
    }
    let now = || (NewTimestamp::Now, NewTimestamp::Now);
    let (accessed, modified) = now();
    let flags = PathFlags::SYMLINK_FOLLOW;
    let mut files = guest.files();
    let set = files.set_times_at(at(workspace), flags, "src/a".into(), accessed, modified);
    assert_eq!(code(set.await), DENIED);
    let opened = guest.open(workspace, "src/a", OpenFlags::empty(), DescriptorFlags::READ).await;
    let opened = opened.unwrap();
    let (accessed, modified) = now();
    assert_eq!(code(guest.files().set_times(at(opened), accessed, modified).await), DENIED);
    assert_eq!(guest.remove("src").await, DENIED);
    assert_eq!(guest.write("secret", "new").await, Ok(()));
    for (open, flags) in [
        (OpenFlags::empty(), DescriptorFlags::empty()),
        (OpenFlags::CREATE, DescriptorFlags::empty()),
        (OpenFlags::empty(), DescriptorFlags::READ | DescriptorFlags::WRITE),
    ] {
        let opened = guest.open(workspace, "secret", open, flags).await;
        assert_eq!(opened, Err(ErrorCode::Access), "{open:?} {flags:?}");
    }
    assert_eq!(guest.rename("secret", "b").await, DENIED, "it could be read there");
    assert_eq!(guest.link("secret", "b").await, DENIED);
}

#[tokio::test]
async fn a_directory_is_moved_only_where_all_of_it_may_go() {
    let mut guest = Bench::new(rules(&[], &["path:.git/hooks/**", "path:keep/*/x"]));
    guest.file("tmp/hooks/pre-commit", "#!");
    guest.file("keep/a/y", "");
    assert_eq!(guest.rename("tmp", ".git").await, DENIED);
    assert_eq!(guest.rename("keep", "other").await, Ok(()), "nothing in it is ruled");
    guest.file("one/two/x", "");
    assert_eq!(guest.rename("one", "keep").await, DENIED);
    assert_eq!(guest.make(".git").await, Ok(()));
    assert_eq!(guest.rename("tmp/hooks", ".git/hooks").await, DENIED);
    assert_eq!(guest.rename("one/two/x", "two").await, Ok(()));
}

#[tokio::test]
async fn the_state_has_paths_from_the_root() {
    let mut guest = Bench::new(rules(&[], &["path:/state/keys", "path:/workspace/a"]));
    let (workspace, state) = (guest.workspace, guest.state);
    let write = OpenFlags::CREATE;
    for (fd, path, allowed) in [
        (state, "keys", false),
        (state, "a", true),
        (workspace, "keys", true),
        (workspace, "a", false),
    ] {
        let opened = guest.open(fd, path, write, DescriptorFlags::WRITE).await;
        assert_eq!(opened.is_ok(), allowed, "{path}: {opened:?}");
    }
    // From one directory to the other it is a move all the same.
    let (from, to) = (at(state), at(workspace));
    let moved = guest.files().rename_at(from, "a".into(), to, "a".into()).await;
    assert_eq!(code(moved), DENIED);
}

#[tokio::test]
async fn a_directory_that_is_moved_away_by_others_is_closed() {
    let mut guest = Bench::new(rules(&[], &["path:**/.env"]));
    guest.file("d/.env", "secret");
    guest.file("d/a", "text");
    let inner = guest.directory("d").await.unwrap();
    fs::rename(guest.host("d"), guest.host("../outside")).unwrap();
    for path in [".env", "a"] {
        assert_eq!(guest.read_at(inner, path).await, Err(ErrorCode::Access), "{path}");
    }
}
