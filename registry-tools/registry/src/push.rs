//! Publishes a component.

use artifact::{Descriptor, Digest, MANIFEST_MEDIA_TYPE, Reference, pack};

use crate::client::Client;
use crate::error::RegistryError;

/// What was published.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// With the digest: what others should write down.
    pub reference: Reference,
    pub digest: Digest,
    /// What refers to it names it by this.
    pub manifest: Descriptor,
    /// Bytes that had to be sent; the rest was there.
    pub sent_bytes: u64,
}

/// Sends a component, then the manifest that names it, so that a reader never finds half.
pub async fn push(
    client: &Client,
    reference: &Reference,
    component: Vec<u8>,
) -> Result<Pushed, RegistryError> {
    let repository = &reference.repository;
    let packed = pack(&component, &format!("{}.wasm", repository.name()))?;
    if let Some(expected) = reference.digest
        && expected != packed.digest
    {
        let (address, found) = (reference.to_string(), packed.digest);
        return Err(RegistryError::WrongDigest { address, expected, found });
    }
    let mut sent_bytes = 0;
    for (descriptor, bytes) in
        [(&packed.component, component), (&packed.config_descriptor, packed.config)]
    {
        if client.send_blob(repository, descriptor, bytes.into()).await? {
            sent_bytes += descriptor.size;
        }
    }
    let manifest = Descriptor::of(MANIFEST_MEDIA_TYPE, &packed.manifest);
    let digest = client.send_manifest(repository, Some(reference.tag()), packed.manifest).await?;
    Ok(Pushed { reference: reference.pinned(digest), digest, manifest, sent_bytes })
}
