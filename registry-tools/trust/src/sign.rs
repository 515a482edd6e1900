//! Signs what is in a registry, beside the signatures that are there.

use artifact::{Digest, MANIFEST_MAX_BYTES, Manifest, ManifestError, Repository};
use registry::{Client, RegistryError};

use crate::payload::Subject;
use crate::private::{SigningKey, SigningKeyError};
use crate::stored::{entries, image, layer, tag};
use crate::verify::{SIGNATURES_MAX, Signature};

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the key cannot sign")]
    Key(#[from] SigningKeyError),
    #[error("what is under the tag `{tag}` is no list of signatures, and is left as it is")]
    Other { tag: String, source: ManifestError },
    #[error("it has {0} signatures already; no reader looks at more than {SIGNATURES_MAX}")]
    TooMany(usize),
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// The signature was added.
    Added,
    /// One by this key was there.
    Already,
}

/// Adds a signature of `digest`, whose manifest must be there. Two that sign at once may lose one of
/// both signatures, as with cosign: registries have no way to add to a tag.
pub async fn sign(
    client: &Client,
    repository: &Repository,
    digest: Digest,
    key: &SigningKey,
) -> Result<Signed, SignError> {
    let subject = Subject { repository: repository.to_string(), digest: digest.to_string() };
    let made = Signature::make(&subject, key)?;
    let tag = tag(digest);
    let there = match client.manifest(repository, &tag, None).await? {
        Some(found) => {
            Manifest::parse(&found.bytes)
                .map_err(|source| SignError::Other { tag: tag.clone(), source })?
                .layers
        }
        None => Vec::new(),
    };
    if there.len() >= SIGNATURES_MAX {
        return Err(SignError::TooMany(there.len()));
    }
    let new = layer(&made.payload, &made.signature);
    let (mut manifest, _) = image(there);
    let by_this_key = entries(&manifest).into_iter().any(|(layer, signature)| {
        layer.digest == new.digest && key.public().made(&signature, &made.payload)
    });
    if by_this_key {
        return Ok(Signed::Already);
    }
    client.send_blob(repository, &new, made.payload.into()).await?;
    let mut layers = std::mem::take(&mut manifest.layers);
    layers.push(new);
    let (manifest, config) = image(layers);
    client.send_blob(repository, &manifest.config, config.into()).await?;
    let bytes = serde_json::to_vec(&manifest).map_err(ManifestError::Malformed);
    let bytes = bytes.map_err(|source| SignError::Other { tag: tag.clone(), source })?;
    debug_assert!(bytes.len() as u64 <= MANIFEST_MAX_BYTES, "bounded by the number of layers");
    client.send_manifest(repository, Some(&tag), bytes).await?;
    Ok(Signed::Added)
}
