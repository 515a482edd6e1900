//! No way around a rule: spellings by hand, and random sequences of calls.

use std::fs;

use proptest::prelude::*;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use crate::bench::{Bench, rules};

const SECRET: &str = "the secret";

#[tokio::test]
async fn no_spelling_reaches_a_denied_file() {
    let mut guest = Bench::new(rules(&[], &["path:sub/.env"]));
    guest.file("sub/.env", SECRET);
    guest.file("sub/deep/x", "");
    guest.symlink("sub", "s").await.unwrap();
    guest.symlink("sub/.env", "direct").await.unwrap();
    guest.symlink("direct", "twice").await.unwrap();
    guest.symlink("../.env", "sub/deep/up").await.unwrap();
    guest.symlink(".", "sub/dot").await.unwrap();
    let inner = guest.directory("sub").await.unwrap();
    let deep = guest.directory("s/deep").await.unwrap();
    let workspace = guest.workspace;
    for (fd, path) in [
        (workspace, "sub/.env"),
        (workspace, "./sub//.env"),
        (workspace, "sub/./.env"),
        (workspace, "sub/deep/../.env"),
        (workspace, "x/../sub/.env"),
        (workspace, "sub/.env/"),
        (workspace, "sub/.env/."),
        (workspace, "s/.env"),
        (workspace, "s/deep/../.env"),
        (workspace, "s/dot/dot/.env"),
        (workspace, "direct"),
        (workspace, "twice"),
        (workspace, "sub/deep/up"),
        (workspace, "/sub/.env"),
        (workspace, "/workspace/sub/.env"),
        (workspace, "../workspace/sub/.env"),
        (workspace, "sub/.ENV"),
        (workspace, "SUB/.env"),
        (inner, ".env"),
        (inner, "deep/../.env"),
        (inner, "dot/.env"),
        (deep, "../.env"),
        (deep, "up"),
    ] {
        let read = guest.read_at(fd, path).await;
        assert!(read.is_err(), "{path}: {read:?}");
    }
    assert_eq!(guest.read("sub/.env").await, Err(ErrorCode::Access));
}

/// Names that meet often: three levels, one of them ruled.
const NAMES: [&str; 6] = ["a", "b", ".env", "s", "A", ".."];

#[derive(Debug, Clone)]
enum Call {
    Read(String),
    Write(String),
    Make(String),
    Unlink(String),
    Remove(String),
    Symlink(String, String),
    Link(String, String),
    Rename(String, String),
}

fn path() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(&NAMES[..]);
    (proptest::collection::vec(name, 1..4), any::<bool>())
        .prop_map(|(names, slash)| names.join("/") + if slash { "/" } else { "" })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        path().prop_map(Call::Read),
        path().prop_map(Call::Write),
        path().prop_map(Call::Make),
        path().prop_map(Call::Unlink),
        path().prop_map(Call::Remove),
        (path(), path()).prop_map(|(target, path)| Call::Symlink(target, path)),
        (path(), path()).prop_map(|(path, new)| Call::Link(path, new)),
        (path(), path()).prop_map(|(path, new)| Call::Rename(path, new)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a guest does, it never sees the secret, never changes it, and never makes a file
    /// under a name that it may not use.
    #[test]
    fn no_sequence_of_calls_reaches_a_denied_file(calls in proptest::collection::vec(call(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut guest = Bench::new(rules(&[], &["path:**/.env"]));
        guest.file("a/.env", SECRET);
        guest.file("b/a", "text");
        runtime.block_on(async {
            for call in &calls {
                match call {
                    Call::Read(path) => {
                        if let Ok(content) = guest.read(path).await {
                            assert_ne!(content, SECRET, "{path} after {calls:?}");
                        }
                    }
                    Call::Write(path) => drop(guest.write(path, "mine").await),
                    Call::Make(path) => drop(guest.make(path).await),
                    Call::Unlink(path) => drop(guest.unlink(path).await),
                    Call::Remove(path) => drop(guest.remove(path).await),
                    Call::Symlink(target, path) => drop(guest.symlink(target, path).await),
                    Call::Link(path, new) => drop(guest.link(path, new).await),
                    Call::Rename(path, new) => drop(guest.rename(path, new).await),
                }
            }
        });
        prop_assert_eq!(fs::read_to_string(guest.host("a/.env")).unwrap(), SECRET);
        let mut folders = vec![guest.host("")];
        let mut ruled = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                ruled += usize::from(entry.file_name() == ".env");
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        prop_assert_eq!(ruled, 1, "no other file of that name was made");
    }
}
