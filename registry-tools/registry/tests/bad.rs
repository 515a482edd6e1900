//! Registries that are broken, busy, or mean harm: a clear error, nothing half-written, nothing kept.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use artifact::{Descriptor, Digest, Manifest, Packed, Reference, pack};
use axum::body::Body;
use axum::response::Response;
use cache::Cache;
use futures::StreamExt as _;
use registry::{Client, Network, Options, RegistryError, Sources, Store};
use support::fake::{Fake, Query, ok, status, with};
use support::{Gatekeeper, component, options, silent};

fn packed() -> Packed {
    pack(&component(), "tool.wasm").unwrap()
}

/// What a good registry answers; `None`: it is for the test to say.
fn good(query: &Query, packed: &Packed) -> Option<Response> {
    let (_, rest) = query.path.split_once("/v2/acme/tool/")?;
    if rest.starts_with("manifests/") {
        return Some(ok(packed.manifest.clone()));
    }
    let digest = rest.strip_prefix("blobs/")?.parse::<Digest>().ok()?;
    match digest {
        digest if digest == packed.component.digest => Some(ok(component())),
        digest if digest == packed.config_descriptor.digest => Some(ok(packed.config.clone())),
        _ => Some(status(404)),
    }
}

fn is_component(query: &Query) -> bool {
    query.path.ends_with(&packed().component.digest.to_string())
}

fn is_manifest(query: &Query) -> bool {
    query.path.contains("/manifests/")
}

/// A user's cache and the registry it pulls from.
struct World {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(answer: impl Fn(&Query) -> Response + Send + Sync + 'static) -> Self {
        Self { fake: Fake::start(answer).await, folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self, options: Options) -> Store {
        let client = Client::new(options, Sources::default());
        Store::new(Cache::new(self.folder.path()), Arc::new(client), Gatekeeper::open())
    }

    fn reference(&self) -> Reference {
        Reference::parse(&format!("{}/acme/tool:1", self.fake.address), "").unwrap()
    }

    async fn pull(&self) -> Result<Vec<u8>, RegistryError> {
        self.pull_as(&self.reference(), options()).await
    }

    async fn pull_as(
        &self,
        reference: &Reference,
        options: Options,
    ) -> Result<Vec<u8>, RegistryError> {
        let opened = self.store(options).open(reference, Network::Missing, &silent()).await;
        opened.map(|opened| opened.component)
    }

    /// The error of a pull after which the cache has no name for it and no component.
    async fn refused(&self) -> RegistryError {
        let error = self.pull().await.unwrap_err();
        let cache = Cache::new(self.folder.path());
        assert_eq!(cache.records().unwrap(), [], "{error}");
        assert!(!cache.has(&packed().component.digest), "{error}");
        error
    }
}

#[tokio::test]
async fn what_is_not_what_it_was_said_to_be_is_not_kept() {
    let world = World::new(|query| good(query, &packed()).unwrap()).await;
    assert_eq!(world.pull().await.unwrap(), component());

    // Another manifest under a digest.
    let pinned = world.reference().pinned(Digest::of(b"other"));
    let error = world.pull_as(&pinned, options()).await.unwrap_err();
    assert!(matches!(error, RegistryError::WrongDigest { .. }), "{error}");

    // Other bytes of the right length; more; the tag's manifest gone over to other content.
    let altered = || {
        let mut bytes = component();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let world = World::new(move |query| match is_component(query) {
        true => ok(altered()),
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let error = world.refused().await;
    assert!(
        matches!(&error, RegistryError::Cache(cache::CacheError::WrongDigest { .. })),
        "{error}"
    );

    let longer = [&component()[..], b"more"].concat();
    let world = World::new(move |query| match is_component(query) {
        true => ok(longer.clone()),
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let error = world.refused().await;
    assert!(matches!(error, RegistryError::TooLarge { .. }), "{error}");

    // Without a length in its head it is noticed by the bytes.
    let longer = [&component()[..], b"more"].concat();
    let world = World::new(move |query| match is_component(query) {
        true => ok(streamed(vec![longer.clone()])),
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let error = world.refused().await;
    assert!(matches!(&error, RegistryError::Cache(cache::CacheError::WrongSize { .. })), "{error}");

    let world = World::new(|query| match is_component(query) {
        true => status(404),
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let error = world.refused().await.to_string();
    assert!(error.contains(&packed().component.digest.to_string()), "{error}");
}

fn streamed(parts: Vec<Vec<u8>>) -> Body {
    let parts = parts.into_iter().map(Ok::<_, std::io::Error>);
    Body::from_stream(futures::stream::iter(parts))
}

/// Half of the bytes, then the connection breaks.
fn half(bytes: &[u8]) -> Response {
    let first = Ok::<_, std::io::Error>(bytes[..bytes.len() / 2].to_vec());
    // The first part must be on its way before the connection is closed.
    let end = futures::stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("broken"))
    });
    ok(Body::from_stream(futures::stream::iter([first]).chain(end)))
}

#[tokio::test]
async fn a_download_that_breaks_off_is_continued_where_it_ended() {
    let world = World::new(|query| match (is_component(query), &query.range) {
        (true, None) => half(&component()),
        (true, Some(range)) => {
            let from: usize = range["bytes=".len()..range.len() - 1].parse().unwrap();
            let mut rest = ok(component()[from..].to_vec());
            *rest.status_mut() = http::StatusCode::PARTIAL_CONTENT;
            let place = format!("bytes {from}-{}/{}", component().len() - 1, component().len());
            rest.headers_mut().insert("content-range", place.parse().unwrap());
            rest
        }
        _ => good(query, &packed()).unwrap(),
    })
    .await;
    assert_eq!(world.pull().await.unwrap(), component());
    let ranges = world.fake.queries().into_iter().filter(is_component).map(|query| query.range);
    let expected = format!("bytes={}-", component().len() / 2);
    assert_eq!(ranges.collect::<Vec<_>>(), [None, Some(expected)]);

    // A registry that knows no ranges is read from the beginning again.
    let world = World::new(|query| match (is_component(query), query.before) {
        (true, 0) => half(&component()),
        _ => good(query, &packed()).unwrap(),
    })
    .await;
    assert_eq!(world.pull().await.unwrap(), component());

    // One that never gets further is given up; what arrived serves the next pull.
    let world = World::new(|query| match is_component(query) {
        true => half(&component()),
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let error = world.refused().await;
    assert!(matches!(error, RegistryError::GivenUp { .. }), "{error}");
    assert!(error.to_string().contains("what arrived is kept"), "{error}");
}

#[tokio::test]
async fn refusals_are_told_apart_and_trouble_that_passes_is_waited_for() {
    for (code, expected) in [
        (401, "docker login"),
        (403, "(403)"),
        (404, "(404)"),
        (418, "answered with 418"),
        (429, "(429)"),
        (500, "answered with 500, 4 times in a row"),
        (503, "answered with 503, 4 times in a row"),
    ] {
        let world = World::new(move |_| status(code)).await;
        let error = world.refused().await.to_string();
        assert!(error.contains(expected), "{code}: {error}");
        // Again only for what may pass.
        let asked = if code == 429 || code >= 500 { 4 } else { 1 };
        assert_eq!(world.fake.queries().len(), asked, "{code}");
    }
    // More patience than the registry may ask for.
    let world = World::new(|_| with(429, "retry-after", "3600")).await;
    let error = world.refused().await.to_string();
    assert!(error.contains("wants 3600 s of rest"), "{error}");
    assert_eq!(world.fake.queries().len(), 1);
    // It passes.
    let world = World::new(|query| match query.before {
        0 => with(503, "retry-after", "0"),
        1 => status(429),
        _ => good(query, &packed()).unwrap(),
    })
    .await;
    assert_eq!(world.pull().await.unwrap(), component());
}

#[tokio::test]
async fn a_registry_that_stalls_is_given_up() {
    let world = World::new(|query| match is_component(query) {
        true => {
            let first = Ok::<_, std::io::Error>(component()[..10].to_vec());
            let rest = futures::stream::pending();
            ok(Body::from_stream(futures::stream::iter([first]).chain(rest)))
        }
        false => good(query, &packed()).unwrap(),
    })
    .await;
    let options = Options { stall: Duration::from_millis(200), ..options() };
    let error = world.pull_as(&world.reference(), options).await.unwrap_err();
    assert!(error.to_string().contains("sent nothing for too long"), "{error}");
}

#[tokio::test]
async fn absurd_manifests_are_refused_before_a_blob_is_asked_for() {
    let manifest = |change: fn(&mut Manifest)| {
        let mut manifest = Manifest::parse(&packed().manifest).unwrap();
        change(&mut manifest);
        serde_json::to_vec(&manifest).unwrap()
    };
    let cases: [(Vec<u8>, &str); 10] = [
        (vec![b' '; (1 << 20) + 1], "sends more than 1048576 bytes"),
        (b"<html>".to_vec(), "malformed"),
        (b"[".repeat(100_000), "malformed"),
        (manifest(|m| m.layers[0].size = u64::MAX), "bytes; a harness has 1 to"),
        (manifest(|m| m.layers[0].size = 0), "bytes; a harness has 1 to"),
        (manifest(|m| m.config.size = u64::MAX), "its config says"),
        (manifest(|m| m.layers.push(Descriptor::of("application/wasm", b"x"))), "has 2 layers"),
        (manifest(|m| m.layers.clear()), "has 0 layers"),
        (
            manifest(|m| {
                let name = artifact::ANNOTATION_TITLE.to_owned();
                m.layers[0].annotations.insert(name, "../../.bashrc".into());
            }),
            "is no file name",
        ),
        (
            manifest(|m| m.config.media_type = "application/vnd.oci.image.config.v1+json".into()),
            "it is no WebAssembly component",
        ),
    ];
    for (bytes, expected) in cases {
        let world = World::new(move |query| match is_manifest(query) {
            true => ok(bytes.clone()),
            false => status(500),
        })
        .await;
        let error = chain(&world.refused().await);
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(world.fake.queries().len(), 1, "{expected}");
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// As GitHub's registry does it: a 401 names a token service, which gives a token to whoever asks for
/// what is public, and turns a wrong password away. `realm` stands behind the registry's address.
fn behind_tokens(
    realm: impl Fn(&Query) -> String + Send + Sync + 'static,
    blob: impl Fn() -> Response + Send + Sync + 'static,
) -> impl Fn(&Query) -> Response + Send + Sync + 'static {
    move |query| {
        let own = query.authorization.as_deref();
        if let Some(asked) = query.path.strip_prefix("/token?") {
            assert_eq!(asked, "service=registry&scope=repository%3Aacme%2Ftool%3Apull");
            return match own {
                None => ok(r#"{"token":"t0k3n"}"#),
                // `me:pass`
                Some("Basic bWU6cGFzcw==") => ok(r#"{"access_token":"t0k3n"}"#),
                Some(_) => status(401),
            };
        }
        if own != Some("Bearer t0k3n") {
            let challenge = format!("Bearer realm=\"{}\",service=\"registry\"", realm(query));
            return with(401, "www-authenticate", challenge);
        }
        match is_component(query) {
            true => blob(),
            false => good(query, &packed()).unwrap(),
        }
    }
}

fn its_own(query: &Query) -> String {
    format!("http://{}/token", query.host)
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says_and_shown_to_nobody_else() {
    let storage = Fake::start(|_| ok(component())).await;
    let address = format!("http://{}/blob?signature=s3cr3t", storage.address);
    let elsewhere = move || with(307, "location", &address);
    let world = World::new(behind_tokens(its_own, elsewhere)).await;
    assert_eq!(world.pull().await.unwrap(), component());
    let asked: Vec<_> = storage.queries().into_iter().map(|query| query.authorization).collect();
    assert_eq!(asked, [None]);
    let tokens = world.fake.queries().into_iter().filter(|query| query.path.starts_with("/token"));
    assert_eq!(tokens.count(), 1, "one token serves a whole pull");

    // Who has a password shows it to the token service, and to the registry only what that gives.
    let sources = |secret: &str| Sources {
        own: Some((world.fake.address.clone(), registry::Secret::new(secret))),
        ..Sources::default()
    };
    let signed_in = |secret: &str| Client::new(options(), sources(secret));
    let repository = world.reference().repository;
    let found = signed_in("me:pass").manifest(&repository, "1", None).await.unwrap().unwrap();
    assert_eq!(found.digest, packed().digest);
    let wrong = signed_in("me:wr0ng").manifest(&repository, "1", None).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::SignIn { .. }), "{wrong}");
    assert!(!format!("{wrong} {wrong:?}").contains("wr0ng"), "{wrong:?}");
}

#[tokio::test]
async fn nobody_is_sent_where_no_https_is() {
    type Blob = fn() -> Response;
    let cases: [(&str, Blob, &str); 4] = [
        (
            "http://token.invalid/token",
            || ok(""),
            "is at http://token.invalid/token, which is not asked",
        ),
        ("nonsense", || ok(""), "which is not asked"),
        ("", || with(307, "location", "http://storage.invalid/b?key=s3cr3t"), "only HTTPS is"),
        ("", || with(302, "location", ""), "redirects to nowhere"),
    ];
    for (realm, blob, expected) in cases {
        let place = move |query: &Query| match realm {
            "" => its_own(query),
            realm => realm.to_owned(),
        };
        let world = World::new(behind_tokens(place, blob)).await;
        let error = world.refused().await.to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    let circle = |query: &Query| with(307, "location", &query.path);
    let error = World::new(circle).await.refused().await.to_string();
    assert!(error.contains("too many redirects"), "{error}");
}

const ADDRESS: &str = "REGISTRY_TEST_ADDRESS";
const FOLDER: &str = "REGISTRY_TEST_FOLDER";
const LAST_STEP: &str = "REGISTRY_TEST_LAST_STEP";

/// A pull by tag into `folder`, which calls `at` before the write with that number.
async fn stepping(
    address: &str,
    folder: &std::path::Path,
    last: usize,
    at: fn() -> std::io::Result<()>,
) -> (Result<Vec<u8>, RegistryError>, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let step =
        move |_: &str| if counted.fetch_add(1, Ordering::SeqCst) == last { at() } else { Ok(()) };
    let cache = Cache::new(folder).with_steps(Arc::new(step));
    let client = Client::new(options(), Sources::default());
    let store = Store::new(cache, Arc::new(client), Gatekeeper::open());
    let reference = Reference::parse(&format!("{address}/acme/tool:1"), "").unwrap();
    let opened = store.open(&reference, Network::Missing, &silent()).await;
    (opened.map(|opened| opened.component), count.load(Ordering::SeqCst))
}

/// What is in the cache is right, and the next pull succeeds and leaves all of it.
async fn usable(address: &str, folder: &std::path::Path, context: &str) {
    let cache = Cache::new(folder);
    for record in cache.records().unwrap() {
        assert_eq!(record.digest, packed().digest, "{context}");
        assert!(cache.has(&record.digest), "{context}: a name without its manifest");
    }
    if cache.has(&packed().digest) {
        assert!(cache.read_described(&packed().component).unwrap().is_some(), "{context}");
    }
    let (pulled, _) = stepping(address, folder, usize::MAX, || Ok(())).await;
    assert_eq!(pulled.unwrap(), component(), "{context}");
    let offline = Client::new(options(), Sources::default());
    let store = Store::new(cache, Arc::new(offline), Gatekeeper::open());
    let reference = Reference::parse(&format!("{address}/acme/tool:1"), "").unwrap();
    let opened = store.open(&reference, Network::Never, &silent()).await.unwrap();
    assert_eq!(opened.component, component(), "{context}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_write_of_a_pull() {
    if let (Ok(address), Some(folder), Ok(last)) =
        (std::env::var(ADDRESS), std::env::var_os(FOLDER), std::env::var(LAST_STEP))
    {
        // The process that is killed: abort runs no destructors and flushes nothing.
        let last = last.parse().unwrap();
        let killed = || std::process::abort();
        stepping(&address, folder.as_ref(), last, killed).await.0.unwrap();
        return;
    }
    let world = World::new(|query| good(query, &packed()).unwrap()).await;
    let address = &world.fake.address;
    let (pulled, writes) = stepping(address, world.folder.path(), usize::MAX, || Ok(())).await;
    assert_eq!(pulled.unwrap(), component());
    // Three contents of four writes and two syncs each, and a name.
    assert!(writes >= 15, "{writes}");
    for last in 0..writes {
        let folder = tempfile::tempdir().unwrap();
        let killed = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_at_every_write_of_a_pull"])
            .env(ADDRESS, address)
            .env(FOLDER, folder.path())
            .env(LAST_STEP, last.to_string())
            .output()
            .await
            .unwrap();
        assert_eq!(killed.status.code(), None, "write {last}: {killed:?}");
        usable(address, folder.path(), &format!("killed at write {last}")).await;
        let folder = tempfile::tempdir().unwrap();
        let full = || Err(std::io::ErrorKind::StorageFull.into());
        let (failed, _) = stepping(address, folder.path(), last, full).await;
        let failed = failed.unwrap_err();
        assert!(chain(&failed).contains("full"), "{}", chain(&failed));
        usable(address, folder.path(), &format!("full at write {last}")).await;
    }
}
