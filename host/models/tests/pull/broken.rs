//! Servers that send something else than they should.

use std::sync::Arc;

use models::{Options, PullError};

use crate::common::{Place, V1, file, impatient, options, run, sha256};
use crate::server::{Play, Server};

#[tokio::test]
async fn another_file_is_deleted() {
    let (place, meant, sent) = (Place::new(), file(1), file(2));
    let server = Server::start([Play::Serve { version: V1, file: sent.clone() }]);
    let (wrong, _) = run(options(&server), &place.download(sha256(&meant))).await;
    let wrong = wrong.unwrap_err();
    let (expected, found) = (sha256(&meant), sha256(&sent));
    assert!(
        matches!(wrong, PullError::WrongDigest { expected: e, found: f } if e == expected && f == found)
    );
    assert!(!place.path().exists());
    assert_eq!(place.left_over(), [""; 0]);
}

#[tokio::test]
async fn a_single_wrong_byte_is_another_file() {
    let (place, meant) = (Place::new(), file(1));
    let mut sent = meant.to_vec();
    sent[200_000] ^= 0x20;
    let server = Server::start([Play::Serve { version: V1, file: Arc::new(sent) }]);
    let (wrong, _) = run(options(&server), &place.download(sha256(&meant))).await;
    assert!(matches!(wrong, Err(PullError::WrongDigest { .. })), "{wrong:?}");
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_asked_for_until_patience_ends() {
    let (place, file) = (Place::new(), file(1));
    let lie = || Play::say("200 OK", "content-length: 300001\r\n", file.to_vec());
    let server = Server::start([lie(), lie(), lie(), lie()]);
    let options = Options { retries: 3, ..options(&server) };
    let (given_up, _) = run(options, &place.download(sha256(&file))).await;
    assert!(matches!(given_up, Err(PullError::GivenUp { attempts: 4, .. })), "{given_up:?}");
    assert!(!place.path().exists());
}

#[tokio::test]
async fn a_body_longer_than_announced_is_cut_there_and_wrong() {
    let (place, file) = (Place::new(), file(1));
    let server = Server::start([Play::say("200 OK", "content-length: 299999\r\n", file.to_vec())]);
    let (wrong, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(matches!(wrong, Err(PullError::WrongDigest { .. })), "{wrong:?}");
}

#[tokio::test]
async fn an_endless_body_ends_at_the_cap() {
    let (place, file) = (Place::new(), file(1));
    let mut chunked = format!("{:x}\r\n", file.len()).into_bytes();
    chunked.extend(file.iter());
    chunked.extend(b"\r\n0\r\n\r\n");
    let server = Server::start([Play::say("200 OK", "transfer-encoding: chunked\r\n", chunked)]);
    let capped = Options { size_max: 250_000, ..options(&server) };
    let (large, _) = run(capped, &place.download(sha256(&file))).await;
    assert!(matches!(large, Err(PullError::TooLarge { max: 250_000 })), "{large:?}");
    assert!(std::fs::metadata(place.partial()).unwrap().len() <= 250_000);
}

#[tokio::test]
async fn a_page_instead_of_a_model_is_noticed_at_once() {
    let place = Place::new();
    let page = "<!doctype html><title>Log in</title>".repeat(10_000);
    let server = Server::start([Play::say("200 OK", "content-type: text/html\r\n", page)]);
    let (page, _) = run(options(&server), &place.download(sha256(b"x"))).await;
    assert!(matches!(page, Err(PullError::NotGguf { .. })), "{page:?}");
    assert_eq!(std::fs::metadata(place.partial()).unwrap().len(), 0);
}

#[tokio::test]
async fn a_part_that_was_not_asked_for_is_not_joined() {
    let (place, file) = (Place::new(), file(1));
    let odd = |range: &str, from: usize| {
        let headers = format!("etag: {V1}\r\ncontent-range: {range}\r\n");
        Play::say("206 Partial Content", headers, &file[from..])
    };
    for play in
        [odd("bytes 99999-299999/300000", 99_999), odd("bytes 100001-299999/300000", 100_001)]
    {
        let place = Place::new();
        let server = Server::start([
            Play::Cut { version: V1, file: file.clone(), after: 100_000 },
            play,
            Play::Serve { version: V1, file: file.clone() },
        ]);
        let (fetched, _) = run(options(&server), &place.download(sha256(&file))).await;
        assert!(fetched.unwrap().downloaded);
        assert_eq!(std::fs::read(place.path()).unwrap(), *file);
        assert_eq!(server.asked()[2].range, None, "it started over");
    }
    // A range without sense is an answer that nobody understands.
    let server = Server::start([
        Play::Cut { version: V1, file: file.clone(), after: 100_000 },
        odd("bytes 100000-5/300000", 100_000),
    ]);
    let (refused, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(matches!(refused, Err(PullError::Status { status: 206, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_file_that_shrank_is_started_over() {
    let (place, old) = (Place::new(), file(1));
    let new = Arc::new(old[..50_000].to_vec());
    let server = Server::start([
        Play::Cut { version: V1, file: old, after: 100_000 },
        Play::say("416 Range Not Satisfiable", "content-range: bytes */50000\r\n", ""),
        Play::Serve { version: V1, file: new.clone() },
    ]);
    let (fetched, _) = run(options(&server), &place.download(sha256(&new))).await;
    assert_eq!(fetched.unwrap().size, 50_000);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_broken_one_given_up() {
    let (place, file) = (Place::new(), file(1));
    let busy = || Play::say("503 Service Unavailable", "retry-after: 0\r\n", "");
    let server = Server::start([busy(), busy(), Play::Serve { version: V1, file: file.clone() }]);
    let (fetched, _) = run(options(&server), &place.download(sha256(&file))).await;
    assert!(fetched.unwrap().downloaded);

    let place = Place::new();
    let server = Server::start([Play::say("500 Internal Server Error", "", "secret page")]);
    let (broken, _) = run(impatient(&server), &place.download(sha256(&file))).await;
    let text = broken.unwrap_err().to_string();
    assert!(text.contains("answered with 500") && !text.contains("secret"), "{text}");
}
