//! Downloads that go well.

use models::{Downloader, Event, PullError};
use tokio::sync::Notify;

use crate::common::{Place, V1, file, options, run, sha256};
use crate::server::{Play, Server};

#[tokio::test]
async fn a_file_arrives_whole_and_is_not_asked_for_again() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let download = place.download(sha256(&file));
    let (fetched, events) = run(options(&server), &download).await;
    let fetched = fetched.unwrap();
    assert!(fetched.downloaded);
    assert_eq!((fetched.size, fetched.digest), (file.len() as u64, sha256(&file)));
    assert_eq!(std::fs::read(place.path()).unwrap(), *file);
    assert_eq!(place.left_over(), [""; 0]);
    let total = Some(file.len() as u64);
    assert_eq!(events.first(), Some(&Event::Started { from: 0, total }));
    assert_eq!(events.last(), Some(&Event::Arrived { bytes: file.len() as u64, total }));
    let asked = server.asked();
    assert_eq!(asked[0].path, "/maker/model/resolve/main/model.gguf");
    assert_eq!(asked[0].range, None);

    let (again, events) = run(options(&server), &download).await;
    assert!(!again.unwrap().downloaded);
    assert!(matches!(events[..], [.., Event::Checked { bytes: 300_000 }]), "{events:?}");
    assert_eq!(server.asked().len(), 1, "a file that is there needs no server");
}

#[tokio::test]
async fn a_length_that_is_not_said_is_no_trouble() {
    let (place, file) = (Place::new(), file(1));
    let mut chunked = Vec::new();
    for part in file.chunks(70_000) {
        chunked.extend(format!("{:x}\r\n", part.len()).into_bytes());
        chunked.extend(part);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let server = Server::start([Play::say("200 OK", "transfer-encoding: chunked\r\n", chunked)]);
    let (fetched, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert_eq!(fetched.unwrap().size, file.len() as u64);
}

#[tokio::test]
async fn redirects_are_followed() {
    let (place, file) = (Place::new(), file(1));
    let store = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let hub = Server::start([
        Play::redirect("/elsewhere"),
        Play::redirect(format!("{}/blob?signature=secret", store.mirror())),
    ]);
    let (fetched, _) = run(options(&hub), &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);
    assert_eq!(hub.asked()[1].path, "/elsewhere");
    assert_eq!(store.asked()[0].path, "/blob?signature=secret");
}

#[tokio::test]
async fn one_process_at_a_time_downloads_a_file() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([Play::Stall { version: V1, file: file.clone(), after: 100_000 }]);
    let download = place.download(sha256(&file));
    let arrived = Notify::new();
    let downloader = Downloader::new(options(&server)).unwrap();
    let mut tell = |event| {
        if matches!(event, Event::Arrived { .. }) {
            arrived.notify_one();
        }
    };
    let second = async {
        arrived.notified().await;
        run(options(&server), &download).await.0
    };
    let refused = tokio::select! {
        first = downloader.fetch(&download, &mut tell) => panic!("it waits for more: {first:?}"),
        second = second => second,
    };
    assert!(matches!(refused, Err(PullError::Busy { .. })), "{refused:?}");
    // Who gave up keeps nothing locked.
    let server = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let (third, _) = run(options(&server), &download).await;
    assert!(third.unwrap().downloaded);
}
