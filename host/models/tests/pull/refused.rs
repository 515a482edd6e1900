//! What is not even begun, or ends at the server's word.

use models::{Mirror, Options, PullError};
use url::Url;

use crate::common::{Place, V1, file, options, run, sha256};
use crate::server::{Play, Server};

#[tokio::test]
async fn statuses_that_no_repetition_changes() {
    for (status, expected) in [
        ("404 Not Found", "has no such file (404)"),
        ("410 Gone", "has no such file (404)"),
        ("401 Unauthorized", "refuses it (401)"),
        ("403 Forbidden", "refuses it (403)"),
        ("400 Bad Request", "answered with 400"),
    ] {
        let place = Place::new();
        let server = Server::start([Play::say(status, "", "")]);
        let (refused, _) = run(options(&server), &place.download(sha256(b"x"))).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(expected), "{status}: {text}");
        assert_eq!(server.asked().len(), 1, "{status} is asked once");
        assert!(!place.path().exists());
    }
}

#[tokio::test]
async fn redirects_stay_on_the_way() {
    let place = Place::new();
    for to in ["http://10.0.0.1/x.gguf", "ftp://127.0.0.1/x.gguf", "file:///etc/passwd"] {
        let server = Server::start([Play::redirect(to)]);
        let (refused, _) = run(options(&server), &place.download(sha256(b"x"))).await;
        assert!(matches!(refused, Err(PullError::Route(_))), "{to}: {refused:?}");
    }
    let server = Server::start([Play::say("302 Found", "", "")]);
    let (refused, _) = run(options(&server), &place.download(sha256(b"x"))).await;
    assert!(matches!(refused, Err(PullError::NoLocation { .. })), "{refused:?}");
    let server = Server::start(std::iter::repeat_n(Play::redirect("/again"), 30));
    let (refused, _) = run(options(&server), &place.download(sha256(b"x"))).await;
    assert!(matches!(refused, Err(PullError::Redirects { max: 10, .. })), "{refused:?}");
    assert_eq!(server.asked().len(), 11);
}

#[tokio::test]
async fn plain_http_is_refused_without_a_mirror_on_this_machine() {
    let place = Place::new();
    let server = Server::start([]);
    let mut download = place.download(sha256(b"x"));
    download.url = Url::parse(&format!("{}/model.gguf", server.mirror())).unwrap();
    let elsewhere = Mirror::new("https://mirror.example.com").unwrap();
    for mirror in [None, Some(elsewhere)] {
        let options = Options { mirror, ..options(&server) };
        let (refused, _) = run(options, &download).await;
        assert!(matches!(refused, Err(PullError::Route(_))), "{refused:?}");
    }
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn sizes_are_checked_before_the_first_byte() {
    let (place, file) = (Place::new(), file(1));
    let serve = || Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let server = serve();
    let mut download = place.download(sha256(&file));
    download.size = Some(299_999);
    let (refused, _) = run(options(&server), &download).await;
    let expected = matches!(refused, Err(PullError::Size { expected: 299_999, found: 300_000 }));
    assert!(expected, "{refused:?}");

    let server = serve();
    let capped = Options { size_max: 299_999, ..options(&server) };
    let (refused, _) = run(capped, &place.download(sha256(&file))).await;
    assert!(matches!(refused, Err(PullError::TooLarge { .. })), "{refused:?}");
    assert_eq!(std::fs::metadata(place.partial()).unwrap().len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_disk_without_room_is_not_filled() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([Play::Serve { version: V1, file: file.clone() }]);
    let options = Options { space_margin: u64::MAX / 2, ..options(&server) };
    let (refused, _) = run(options, &place.download(sha256(&file))).await;
    assert!(matches!(refused, Err(PullError::NoSpace { .. })), "{refused:?}");
    assert_eq!(std::fs::metadata(place.partial()).unwrap().len(), 0);
}

#[tokio::test]
async fn a_file_in_its_place_is_not_overwritten() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    std::fs::write(place.path(), "GGUF of somebody").unwrap();
    let server = Server::start([]);
    let (refused, _) = run(options(&server), &place.download(sha256(b"x"))).await;
    assert!(matches!(refused, Err(PullError::Occupied { .. })), "{refused:?}");
    assert_eq!(std::fs::read(place.path()).unwrap(), b"GGUF of somebody");
    assert_eq!(server.asked(), []);
}
