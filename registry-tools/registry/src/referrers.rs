//! What refers to an artifact: asked of the registry, or, where it keeps no such lists, kept as an
//! index under the tag `sha256-HEX`, as the distribution specification says.

use artifact::{
    Descriptor, Digest, INDEX_MEDIA_TYPE, Index, MANIFEST_MAX_BYTES, MANIFEST_MEDIA_TYPE,
    Repository, attach,
};
use http::HeaderName;

use crate::client::Client;
use crate::error::RegistryError;

/// By which a registry says that it lists what was just sent.
const LISTED: HeaderName = HeaderName::from_static("oci-subject");

impl Client {
    /// The index of what refers to `digest`. `None`: there is none.
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        for rest in [format!("referrers/{digest}"), format!("manifests/{}", tag(digest))] {
            let accept = Some(INDEX_MEDIA_TYPE);
            let found = self.get(repository, &rest, accept, MANIFEST_MAX_BYTES).await?;
            if let Some((bytes, _)) = found {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Attaches a file to the manifest `subject`, which must be there. Where the registry keeps no
    /// lists, two that attach at once may lose one of both from the list.
    pub async fn attach(
        &self,
        repository: &Repository,
        subject: Descriptor,
        kind: &str,
        title: &str,
        content: Vec<u8>,
    ) -> Result<Digest, RegistryError> {
        let of = subject.digest;
        let made = attach(subject, kind, title, content)?;
        for (descriptor, bytes) in made.blobs {
            self.send_blob(repository, &descriptor, bytes.into()).await?;
        }
        let name = made.digest.to_string();
        let answer =
            self.put_manifest(repository, &name, MANIFEST_MEDIA_TYPE, made.manifest).await?;
        if answer.contains_key(LISTED) {
            return Ok(made.digest);
        }
        let there = self.referrers(repository, of).await?;
        let mut index = there.map(|bytes| Index::parse(&bytes)).transpose()?.unwrap_or_default();
        if !index.manifests.iter().any(|listed| listed.digest == made.digest) {
            index.manifests.push(made.listed);
            self.put_manifest(repository, &tag(of), INDEX_MEDIA_TYPE, index.to_bytes()?).await?;
        }
        Ok(made.digest)
    }
}

fn tag(digest: Digest) -> String {
    format!("sha256-{}", digest.hex())
}
