//! Large content against a real registry: what is the same is not sent again, what is read is fetched,
//! and only that.

#![allow(clippy::unwrap_used)]

mod support;

use artifact::{CHUNK_MEDIA_TYPE, Chunks, Descriptor, Reference};
use cache::Cache;
use registry::{Network, RegistryError, Sources, push_chunked};
use support::{Gatekeeper, Served, client, fake, store};

const KIND: &str = "application/vnd.xpressclaw.test.v1";
const LENGTH: usize = 12 << 20;

/// Bytes that repeat nowhere, the same each time.
fn content() -> Vec<u8> {
    let mut state = 7_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    })
    .take(LENGTH)
    .collect()
}

#[tokio::test]
async fn only_what_changed_is_sent_and_only_what_is_read_is_fetched() {
    let served = Served::anonymous();
    let reference =
        |tag| Reference::parse(&format!("{}/acme/image:{tag}", served.address), "").unwrap();
    let client = client(Sources::default());
    let one = content();
    let first = push_chunked(&client, &reference("1"), KIND, &one[..]).await.unwrap();
    assert!(first.sent_bytes >= LENGTH as u64);
    let again = push_chunked(&client, &reference("1"), KIND, &one[..]).await.unwrap();
    assert_eq!((again.digest, again.sent_bytes), (first.digest, 0));
    // A few bytes that are put in near the middle move everything behind them.
    let mut two = one.clone();
    two.splice(LENGTH / 2..LENGTH / 2, *b"a few more bytes");
    let second = push_chunked(&client, &reference("2"), KIND, &two[..]).await.unwrap();
    let share = second.sent_bytes as f64 / LENGTH as f64;
    assert!(share > 0.0 && share < 0.7, "{share} of it was sent again");

    let folder = tempfile::tempdir().unwrap();
    let gate = Gatekeeper::open();
    let store = store(Cache::new(folder.path()), gate.clone());
    let open = store.open_chunked(&second.reference, KIND, Network::Missing).await.unwrap();
    assert_eq!((open.size(), gate.asked()), (two.len() as u64, 1));
    let opened = store.client().requests();
    let middle = LENGTH / 3;
    let read = open.read(middle as u64, 5_000).await.unwrap();
    assert_eq!(read, two[middle..middle + 5_000]);
    let fetched = store.client().requests() - opened;
    assert!((1..=2).contains(&fetched), "{fetched} chunks for 5,000 bytes");
    // It is there now, also for whoever may not ask.
    let offline = store.open_chunked(&second.reference, KIND, Network::Never).await.unwrap();
    assert_eq!(offline.read(middle as u64, 5_000).await.unwrap(), read);
    let missing = offline.read(0, 1).await.unwrap_err();
    assert!(matches!(missing, RegistryError::Offline(_)), "{missing}");
    // All of it, in pieces that fit no chunk; the end is where it should be.
    let mut whole = Vec::new();
    loop {
        let piece = open.read(whole.len() as u64, 777_777).await.unwrap();
        if piece.is_empty() {
            break;
        }
        whole.extend(piece);
    }
    assert!(whole == two, "what is read is what was pushed");
    assert_eq!(open.read(u64::MAX, 10).await.unwrap(), Vec::<u8>::new());
    // The other version shares most of what is there now.
    let before = store.client().requests();
    let other = store.open_chunked(&first.reference, KIND, Network::Missing).await.unwrap();
    assert!(other.read(0, LENGTH).await.unwrap() == one);
    let fetched = store.client().requests() - before;
    let manifest = client.manifest(&first.reference.repository, "1", None).await.unwrap().unwrap();
    let manifest = artifact::Manifest::parse(&manifest.bytes).unwrap();
    assert!(
        fetched < manifest.layers.len() as u64 / 2 + 2,
        "{fetched} of {}",
        manifest.layers.len()
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_and_not_kept() {
    let good = Descriptor::of(CHUNK_MEDIA_TYPE, b"good");
    let packed = Chunks::new(vec![good.clone()]).unwrap().pack(KIND).unwrap();
    let manifest = packed.manifest.clone();
    let fake = fake::Fake::start(move |query| {
        if query.path.contains("/manifests/") {
            fake::ok(manifest.clone())
        } else {
            fake::ok("evil")
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = store(Cache::new(folder.path()), Gatekeeper::open());
    let reference = Reference::parse(&format!("{}/acme/image:1", fake.address), "").unwrap();
    let open = store.open_chunked(&reference, KIND, Network::Missing).await.unwrap();
    let error = open.read(0, 4).await.unwrap_err();
    assert!(error.to_string().contains("cache") || error.to_string().contains("digest"), "{error}");
    assert!(!store.cache().has(&good.digest));
    let other = store.open_chunked(&reference, "text/plain", Network::Missing).await;
    assert!(matches!(other, Err(RegistryError::Unfit { .. })));
    // The gate is asked before any chunk is.
    let closed = support::store(Cache::new(folder.path()), Gatekeeper::closed());
    let refused = closed.open_chunked(&reference, KIND, Network::Missing).await;
    assert!(matches!(refused, Err(RegistryError::Refused { .. })));
}
