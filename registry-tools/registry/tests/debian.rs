//! Against a real registry, Debian's `docker-registry`, on loopback: push, pull by digest into an
//! empty cache, and `skopeo` as another reader of what was pushed.

#![allow(clippy::unwrap_used)]

mod support;

use artifact::Reference;
use cache::Cache;
use registry::{Network, RegistryError, Secret, Sources, push};
use support::{Gatekeeper, Served, client, component, silent, store};

fn reference(served: &Served, rest: &str) -> Reference {
    Reference::parse(&format!("{}/acme/{rest}", served.address), "").unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_pulled_by_digest_and_then_without_the_network() {
    let served = Served::anonymous();
    let folder = tempfile::tempdir().unwrap();
    let tagged = reference(&served, "echo:1.0");
    let pushed = push(&client(Sources::default()), &tagged, component()).await.unwrap();
    let again = push(&client(Sources::default()), &tagged, component()).await.unwrap();
    assert_eq!((again.digest, again.sent_bytes), (pushed.digest, 0), "same input, same digest");

    let cold = store(Cache::new(folder.path()), Gatekeeper::open());
    let opened = cold.open(&pushed.reference, Network::Missing, &silent()).await.unwrap();
    assert_eq!((opened.component, opened.pulled), (component(), true));
    assert!(cold.client().requests() > 0);

    // Pinned and warm, by a process of its own: not one request, and the gate is asked again.
    let gate = Gatekeeper::open();
    let warm = store(Cache::new(folder.path()), gate.clone());
    let opened = warm.open(&pushed.reference, Network::Missing, &silent()).await.unwrap();
    assert_eq!((opened.component, opened.pulled), (component(), false));
    assert_eq!((warm.client().requests(), gate.asked()), (0, 1));

    // By tag: asked once, then known; what it is today is asked for anew.
    let tag = warm.open(&tagged, Network::Missing, &silent()).await.unwrap();
    assert!(tag.pulled);
    let requests = warm.client().requests();
    assert!(!warm.open(&tagged, Network::Never, &silent()).await.unwrap().pulled);
    assert_eq!(warm.client().requests(), requests);
    warm.open(&tagged, Network::Fresh, &silent()).await.unwrap();
    assert!(warm.client().requests() > requests);

    // Another reader.
    let inspected = support::skopeo(&["inspect", "--raw", &served.docker("acme/echo:1.0")]);
    assert_eq!(artifact::Digest::of(&inspected), pushed.digest);
    let copy = served.docker("copied/echo:1.0");
    support::skopeo(&["copy", "--dest-tls-verify=false", &served.docker("acme/echo:1.0"), &copy]);
    let copied = Reference::parse(&format!("{}/copied/echo:1.0", served.address), "").unwrap();
    let copied = warm.open(&copied, Network::Missing, &silent()).await.unwrap();
    assert_eq!((copied.component, copied.reference.digest), (component(), Some(pushed.digest)));
}

#[tokio::test]
async fn a_closed_gate_keeps_and_hands_out_nothing() {
    let served = Served::anonymous();
    let folder = tempfile::tempdir().unwrap();
    let tagged = reference(&served, "echo:1.0");
    let pushed = push(&client(Sources::default()), &tagged, component()).await.unwrap();
    let closed = store(Cache::new(folder.path()), Gatekeeper::closed());
    for reference in [&tagged, &pushed.reference] {
        let error = closed.open(reference, Network::Missing, &silent()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Refused { .. }), "{error}");
    }
    assert_eq!(closed.cache().size().unwrap(), 0);
    assert_eq!(closed.cache().records().unwrap(), []);
    // What one gate let in another still refuses.
    let open = store(Cache::new(folder.path()), Gatekeeper::open());
    open.open(&tagged, Network::Missing, &silent()).await.unwrap();
    for network in [Network::Missing, Network::Never, Network::Fresh] {
        let error = closed.open(&tagged, network, &silent()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_used() {
    let served = Served::with_password("me", "pass:word");
    let folder = tempfile::tempdir().unwrap();
    let tagged = reference(&served, "echo:1.0");
    let error = push(&client(Sources::default()), &tagged, component()).await.unwrap_err();
    assert!(error.to_string().contains("docker login"), "{error}");
    let own = |text: &str| Sources {
        own: Some((served.address.clone(), Secret::new(text))),
        ..Sources::default()
    };
    let wrong = push(&client(own("me:wrong")), &tagged, component()).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::SignIn { .. }), "{wrong}");
    assert!(!format!("{wrong:?}").contains("wrong"), "{wrong:?}");
    let pushed = push(&client(own("me:pass:word")), &tagged, component()).await.unwrap();
    let anonymous = store(Cache::new(folder.path()), Gatekeeper::open());
    let error = anonymous.open(&pushed.reference, Network::Missing, &silent()).await.unwrap_err();
    assert!(matches!(error, RegistryError::SignIn { .. }), "{error}");
}

#[tokio::test]
async fn two_pulls_of_one_digest_fetch_it_once() {
    let served = Served::anonymous();
    let folder = tempfile::tempdir().unwrap();
    let tagged = reference(&served, "echo:1.0");
    let pushed = push(&client(Sources::default()), &tagged, component()).await.unwrap();
    let (one, two) = (
        store(Cache::new(folder.path()), Gatekeeper::open()),
        store(Cache::new(folder.path()), Gatekeeper::open()),
    );
    let progress = silent();
    let (first, second) = tokio::join!(
        one.open(&pushed.reference, Network::Missing, &progress),
        two.open(&pushed.reference, Network::Missing, &progress),
    );
    assert_eq!((first.unwrap().component, second.unwrap().component), (component(), component()));
    // A manifest each, and the two blobs once.
    assert_eq!(one.client().requests() + two.client().requests(), 4);
}
