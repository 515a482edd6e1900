//! Digests that the server says.

use models::{Download, Expected, PullError};

use crate::common::{Place, V1, file, impatient, options, run, sha256};
use crate::server::{Play, Server};

fn of_server(place: &Place) -> Download {
    Download { expected: Expected::FromServer, ..place.download(sha256(b"")) }
}

/// As the hub answers: what it knows of the file, and where its bytes are.
fn hub(digest: &str) -> Play {
    let headers =
        format!("x-linked-etag: \"{digest}\"\r\nx-linked-size: 300000\r\nlocation: /b\r\n");
    Play::say("302 Found", headers, "")
}

#[tokio::test]
async fn the_server_s_own_digest_is_held_against_its_bytes() {
    let (place, file) = (Place::new(), file(1));
    let digest = sha256(&file);
    let serve = || Play::Serve { version: V1, file: file.clone() };
    let named = hub(&digest.to_string());
    let server = Server::start([named.clone(), serve(), named, serve()]);
    let (fetched, _) = run(options(&server), &of_server(&place)).await;
    assert_eq!(fetched.unwrap().digest, digest);

    let place = Place::new();
    let lie = hub(&sha256(b"something else").to_string());
    let server = Server::start([lie.clone(), serve(), lie, serve()]);
    let (wrong, _) = run(options(&server), &of_server(&place)).await;
    assert!(matches!(wrong, Err(PullError::WrongDigest { .. })), "{wrong:?}");
    assert!(!place.path().exists());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_believed() {
    let (place, file) = (Place::new(), file(1));
    let serve = Play::Serve { version: V1, file: file.clone() };
    let server = Server::start([serve.clone()]);
    let (refused, _) = run(impatient(&server), &of_server(&place)).await;
    assert!(matches!(refused, Err(PullError::NoDigest { .. })), "{refused:?}");
    assert!(!place.path().exists());
    // Nor is one that the named server only points to: anybody could stand there.
    let digest = sha256(&file);
    let store = Play::say("200 OK", format!("x-linked-etag: \"{digest}\"\r\n"), file.to_vec());
    let server = Server::start([Play::redirect("/b"), store]);
    let (refused, _) = run(impatient(&server), &of_server(&place)).await;
    assert!(matches!(refused, Err(PullError::NoDigest { .. })), "{refused:?}");
}
