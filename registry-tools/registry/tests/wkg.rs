//! Interchange with `wkg` by the crates that it reads and writes registries with, `oci-client` and
//! `oci-wasm`, over a real registry. What the tool itself did is in `docs/publishing.md`.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use artifact::Reference;
use cache::Cache;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_wasm::{WasmClient, WasmConfig};
use registry::{Network, Sources, push};
use support::{Gatekeeper, Served, client, component, silent, store};

/// As `wkg` talks to a registry that is configured with `protocol = "http"`.
fn theirs() -> WasmClient {
    // Their client takes the process's default; ours brings its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    oci_client::Client::new(config).into()
}

fn ours(served: &Served, rest: &str) -> Reference {
    Reference::parse(&format!("{}/acme/{rest}", served.address), "").unwrap()
}

fn parsed(reference: &Reference) -> oci_client::Reference {
    reference.to_string().parse().unwrap()
}

#[tokio::test]
async fn what_we_push_they_read() {
    let served = Served::anonymous();
    let tagged = ours(&served, "echo:1.0.0");
    let pushed = push(&client(Sources::default()), &tagged, component()).await.unwrap();
    let (theirs, anonymous) = (theirs(), RegistryAuth::Anonymous);
    for reference in [&tagged, &pushed.reference] {
        let pulled = theirs.pull(&parsed(reference), &anonymous).await.unwrap();
        assert_eq!(pulled.layers[0].data, component());
        assert_eq!(pulled.digest, Some(pushed.digest.to_string()));
    }
    let found = theirs.pull_manifest_and_config(&parsed(&tagged), &anonymous).await.unwrap();
    let (manifest, config, digest) = found;
    assert_eq!((digest, config.os.as_str()), (pushed.digest.to_string(), "wasip2"));
    assert_eq!(config.layer_digests, [manifest.layers[0].digest.clone()]);
    let described = config.component.unwrap();
    assert_eq!((described.imports, described.exports), (vec!["a:b/c@0.1.0".to_owned()], vec![]));
    // Versions are listed as tags, which is how `wkg get` finds the newest.
    let tags = theirs.list_tags(&parsed(&tagged), &anonymous, None, None).await.unwrap();
    assert_eq!(tags.tags, ["1.0.0"]);
}

#[tokio::test]
async fn what_they_push_we_read() {
    let served = Served::anonymous();
    let folder = tempfile::tempdir().unwrap();
    let tagged = ours(&served, "theirs:2.0.0");
    let (config, layer) = WasmConfig::from_raw_component(component(), None).unwrap();
    let version = ("org.opencontainers.image.version".to_owned(), "2.0.0".to_owned());
    let annotations = Some(BTreeMap::from([version]));
    let anonymous = RegistryAuth::Anonymous;
    theirs().push(&parsed(&tagged), &anonymous, layer, config, annotations).await.unwrap();
    let store = store(Cache::new(folder.path()), Gatekeeper::open());
    let opened = store.open(&tagged, Network::Missing, &silent()).await.unwrap();
    assert_eq!((opened.component, opened.pulled), (component(), true));
    assert!(opened.reference.digest.is_some());
}
