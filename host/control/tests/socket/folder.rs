//! Directories as they may be found.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use control::{Board, Server, survey};

use crate::bench::Bench;

fn names(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.folder()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn only_the_owner_can_reach_the_socket() {
    let bench = Bench::new();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.folder()), 0o700);
    assert_eq!(mode(bench.server.path()), 0o600);
}

#[tokio::test]
async fn what_the_dead_left_is_removed_and_nothing_else() {
    let bench = Bench::new();
    let folder = bench.folder();
    // A listener that is dropped leaves its socket, as a killed process does.
    drop(UnixListener::bind(folder.join("1-1.sock")).unwrap());
    let living = UnixListener::bind(folder.join("2-2.sock")).unwrap();
    fs::write(folder.join("3-3.sock"), "a file").unwrap();
    symlink(bench.server.path(), folder.join("4-4.sock")).unwrap();
    symlink("/dev/null", folder.join("5-5.sock")).unwrap();
    drop(UnixListener::bind(folder.join("other")).unwrap());
    let before = names(&bench);
    // It listens and says nothing but an end.
    let closing = std::thread::spawn(move || drop((living.accept().unwrap(), living)));
    let survey = survey(&folder).await.unwrap();
    closing.join().unwrap();
    assert_eq!(survey.found.len(), 1, "links are not followed: {survey:?}");
    assert_eq!(survey.found[0].socket, bench.server.path());
    let mut expected = before;
    expected.retain(|name| name != "1-1.sock");
    assert_eq!(names(&bench), expected);
}

#[tokio::test]
async fn a_socket_that_talks_something_else_is_reported() {
    use std::io::Write;
    let bench = Bench::new();
    for (says, error) in [
        ("HTTP/1.1 200 OK\n", "no line of the protocol"),
        ("{\"method\":\"hello\",\"params\":{\"protocol\":2}}\n", "speaks protocol 2"),
        ("{\"method\":\"hello\",\"params\":{}}\n", "no line of the protocol"),
    ] {
        let path = bench.folder().join("0-0.sock");
        let other = UnixListener::bind(&path).unwrap();
        let talking = std::thread::spawn(move || {
            let mut stream = other.accept().unwrap().0;
            stream.write_all(says.as_bytes()).unwrap();
        });
        let survey = survey(&bench.folder()).await.unwrap();
        talking.join().unwrap();
        assert_eq!((survey.found.len(), survey.failed.len()), (1, 1), "{survey:?}");
        let message = survey.failed[0].1.to_string();
        assert!(message.contains(error), "{message}");
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn a_directory_that_others_can_write_or_that_is_none_is_refused() {
    type Make = fn(&std::path::Path);
    let cases: [(Make, &str); 4] = [
        (|path| fs::write(path, "a file").unwrap(), "is no directory"),
        (|path| symlink("/tmp", path).unwrap(), "is no directory"),
        (|path| symlink("/nowhere", path).unwrap(), "is no directory"),
        (
            |path| {
                fs::create_dir(path).unwrap();
                fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
            },
            "chmod 700",
        ),
    ];
    for (make, says) in cases {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("control");
        make(&folder);
        let started = Server::start(&folder, Board::default(), "1").unwrap_err().to_string();
        assert!(started.contains(says), "{started}");
        let surveyed = survey(&folder).await.unwrap_err().to_string();
        assert!(surveyed.contains(says), "{surveyed}");
    }
}

#[tokio::test]
async fn without_a_directory_nothing_runs_and_none_is_made() {
    let place = tempfile::tempdir().unwrap();
    let survey = survey(&place.path().join("control")).await.unwrap();
    assert!(survey.found.is_empty() && survey.failed.is_empty());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// Where the system has a way around the length of an address, as Linux has.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_longer_than_an_address_is_no_obstacle() {
    let place = tempfile::tempdir().unwrap();
    let deep = place.path().join("x".repeat(200));
    fs::create_dir(&deep).unwrap();
    let folder = deep.join("control");
    let server = Server::start(&folder, Board::default(), "1").unwrap();
    let survey = survey(&folder).await.unwrap();
    assert_eq!(survey.found[0].socket, server.path());
    server.close().await;
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}
