//! What belongs to an artifact in the cache: what stays when room is made around it.

use std::collections::BTreeSet;

use artifact::{Descriptor, Digest, MANIFEST_MAX_BYTES, Reference};
use cache::Cache;
use serde::Deserialize;

use crate::error::RegistryError;

/// Manifests that one artifact leads to: itself, its signatures, what is listed as referring to it.
const MANIFESTS_MAX: usize = 256;

/// Where a manifest or an index leads.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Links {
    config: Option<Descriptor>,
    layers: Vec<Descriptor>,
    manifests: Vec<Descriptor>,
}

/// Everything that the cache has of what a reference with a digest stands for: its manifest and
/// parts, its signatures, and what refers to it.
pub fn belongings(cache: &Cache, reference: &Reference) -> Result<BTreeSet<Digest>, RegistryError> {
    let Some(digest) = reference.digest else { return Ok(BTreeSet::new()) };
    let beside = [
        format!("{}:sha256-{}", reference.repository, digest.hex()),
        format!("{}/referrers/{digest}", reference.repository),
    ];
    let mut manifests = vec![digest];
    for record in cache.records()? {
        if beside.iter().any(|name| record.name.starts_with(name)) {
            manifests.push(record.digest);
        }
    }
    let (mut found, mut read) = (BTreeSet::new(), 0);
    while let Some(digest) = manifests.pop() {
        read += 1;
        if !found.insert(digest) || read > MANIFESTS_MAX {
            continue;
        }
        let Some(bytes) = cache.read(&digest, MANIFEST_MAX_BYTES)? else { continue };
        let links: Links = serde_json::from_slice(&bytes).unwrap_or_default();
        found.extend(links.config.iter().chain(&links.layers).map(|part| part.digest));
        manifests.extend(links.manifests.iter().map(|part| part.digest));
    }
    Ok(found)
}
