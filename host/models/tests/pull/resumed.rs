//! Downloads that break off and go on.

use std::time::Duration;

use models::{Event, Options, PullError};

use crate::common::{Place, V1, V2, file, impatient, options, run, sha256};
use crate::server::{Asked, Play, Server};

/// Where a request begins.
fn from(asked: &Asked) -> u64 {
    let range = asked.range.as_deref().map(|range| range.trim_matches(|c: char| !c.is_numeric()));
    range.map_or(0, |from| from.parse().unwrap())
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_where_it_ended() {
    let (place, file) = (Place::new(), file(1));
    let cut = |after| Play::Cut { version: V1, file: file.clone(), after };
    let server = Server::start([
        cut(100_000),
        cut(50_000),
        cut(0),
        Play::Serve { version: V1, file: file.clone() },
    ]);
    let (fetched, events) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(std::fs::read(place.path()).unwrap(), *file);
    assert_eq!(place.left_over(), [""; 0]);
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(from(&asked[1]), 100_000);
    assert_eq!(from(&asked[2]), 150_000);
    assert_eq!(from(&asked[3]), 150_000);
    assert_eq!(asked[1].if_range.as_deref(), Some(V1));
    let waits = events.iter().filter(|event| matches!(event, Event::Waiting { .. })).count();
    assert_eq!(waits, 3);
}

#[tokio::test]
async fn another_process_continues_what_was_given_up() {
    let (place, file) = (Place::new(), file(1));
    let download = place.download(sha256(&file));
    let server = Server::start([Play::Cut { version: V1, file: file.clone(), after: 100_000 }]);
    let (given_up, _) = run(impatient(&server), &download).await;
    assert!(matches!(given_up, Err(PullError::GivenUp { attempts: 1, .. })), "{given_up:?}");
    assert!(!place.path().exists(), "a part never has the name of the whole");
    assert_eq!(std::fs::read(place.partial()).unwrap(), file[..100_000]);

    // The same address, so the same server.
    let (broken, _) = run(impatient(&server), &download).await;
    assert!(matches!(broken, Err(PullError::Status { status: 418, .. })), "{broken:?}");
    assert_eq!(from(&server.asked()[1]), 100_000);
    assert_eq!(std::fs::read(place.partial()).unwrap(), file[..100_000], "still there");
}

#[tokio::test]
async fn a_part_of_another_address_or_of_nothing_known_is_dropped() {
    let (place, file) = (Place::new(), file(1));
    let download = place.download(sha256(&file));
    let other = Server::start([Play::Cut { version: V1, file: file.clone(), after: 9_000 }]);
    let _ = run(impatient(&other), &download).await;
    let server = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    assert!(run(options(&server), &download).await.0.unwrap().downloaded);
    assert_eq!(server.asked()[0].range, None);

    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    std::fs::write(place.partial(), "from nowhere").unwrap();
    let server = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let (fetched, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(server.asked()[0].range, None);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_started_over() {
    let (place, old, new) = (Place::new(), file(1), file(2));
    let server = Server::start([
        Play::Cut { version: V1, file: old, after: 100_000 },
        Play::Serve { version: V2, file: new.clone() },
    ]);
    let (fetched, events) = run(options(&server), &place.download(sha256(&new))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(std::fs::read(place.path()).unwrap(), *new);
    assert!(events.contains(&Event::StartedOver), "{events:?}");
    assert_eq!(server.asked()[1].if_range.as_deref(), Some(V1));
}

#[tokio::test]
async fn a_server_without_ranges_sends_all_of_it_again() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([
        Play::Cut { version: V1, file: file.clone(), after: 100_000 },
        Play::say("200 OK", "", file.to_vec()),
    ]);
    let (fetched, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(std::fs::read(place.path()).unwrap(), *file);
}

#[tokio::test]
async fn silence_is_given_up_and_the_rest_asked_for() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([
        Play::Stall { version: V1, file: file.clone(), after: 100_000 },
        Play::Serve { version: V1, file: file.clone() },
    ]);
    let options = Options { stall: Duration::from_millis(200), ..options(&server) };
    let (fetched, events) = run(options, &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(from(&server.asked()[1]), 100_000);
    let reason = events.iter().find_map(|event| match event {
        Event::Waiting { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(reason, Some("127.0.0.1 sent nothing for too long"));
}

#[tokio::test]
async fn bytes_that_rotted_on_the_disk_are_fetched_again() {
    let (place, file) = (Place::new(), file(1));
    let download = place.download(sha256(&file));
    let server = Server::start([
        Play::Cut { version: V1, file: file.clone(), after: 100_000 },
        Play::Serve { version: V1, file: file.clone() },
        Play::Serve { version: V1, file: file.clone() },
    ]);
    let _ = run(impatient(&server), &download).await;
    let mut part = std::fs::read(place.partial()).unwrap();
    part[50_000] ^= 1;
    std::fs::write(place.partial(), part).unwrap();
    let (fetched, events) = run(impatient(&server), &download).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(std::fs::read(place.path()).unwrap(), *file);
    assert!(events.contains(&Event::StartedOver), "{events:?}");
}

#[tokio::test]
async fn a_part_that_is_the_whole_needs_its_digest_only() {
    let (place, file) = (Place::new(), file(1));
    let download = place.download(sha256(&file));
    let server = Server::start([
        Play::Cut { version: V1, file: file.clone(), after: 100_000 },
        Play::Serve { version: V1, file: file.clone() },
    ]);
    let _ = run(impatient(&server), &download).await;
    std::fs::write(place.partial(), &*file).unwrap();
    let (fetched, _) = run(impatient(&server), &download).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(from(&server.asked()[1]), 300_000, "answered with 416");
}
