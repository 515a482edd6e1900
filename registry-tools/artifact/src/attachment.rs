//! What refers to an artifact, as version 1.1 of the OCI image specification has it: a manifest whose
//! subject is the artifact's, and the index that lists such manifests.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md>,
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers>.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::manifest::{
    ANNOTATION_TITLE, CREATED, Descriptor, MANIFEST_MAX_BYTES, MANIFEST_MEDIA_TYPE, Manifest,
    ManifestError,
};

pub const INDEX_MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The config of a manifest that needs none.
pub(crate) const EMPTY_MEDIA_TYPE: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const EMPTY: &[u8] = b"{}";

/// One file that refers to an artifact, ready to be sent: its blobs first.
#[derive(Debug, Clone)]
pub struct Attachment {
    pub manifest: Vec<u8>,
    pub digest: Digest,
    /// Each with its content.
    pub blobs: [(Descriptor, Vec<u8>); 2],
    /// How an index lists it.
    pub listed: Descriptor,
}

/// Refers to `subject` with `content`, whose media type is `kind`. The same input gives the same
/// manifest.
pub fn attach(
    subject: Descriptor,
    kind: &str,
    title: &str,
    content: Vec<u8>,
) -> Result<Attachment, ManifestError> {
    let config = Descriptor::of(EMPTY_MEDIA_TYPE, EMPTY);
    let mut layer = Descriptor::of(kind, &content);
    layer.annotations.insert(ANNOTATION_TITLE.into(), title.into());
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_MEDIA_TYPE.into()),
        artifact_type: Some(kind.into()),
        config: config.clone(),
        layers: vec![layer.clone()],
        subject: Some(subject),
        annotations: [("org.opencontainers.image.created".into(), CREATED.into())].into(),
    };
    let annotations = manifest.annotations.clone();
    let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::Malformed)?;
    let mut listed = Descriptor::of(MANIFEST_MEDIA_TYPE, &manifest);
    listed.artifact_type = Some(kind.into());
    listed.annotations = annotations;
    let blobs = [(config, EMPTY.to_vec()), (layer, content)];
    Ok(Attachment { manifest, digest: listed.digest, blobs, listed })
}

/// A list of manifests; unknown members are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default)]
    pub media_type: Option<String>,
    pub manifests: Vec<Descriptor>,
}

impl Default for Index {
    fn default() -> Self {
        let media_type = Some(INDEX_MEDIA_TYPE.into());
        Self { schema_version: 2, media_type, manifests: Vec::new() }
    }
}

impl Index {
    /// Reads any index.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() as u64 > MANIFEST_MAX_BYTES {
            return Err(ManifestError::TooLong(bytes.len() as u64));
        }
        serde_json::from_slice(bytes).map_err(ManifestError::Malformed)
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        serde_json::to_vec(self).map_err(ManifestError::Malformed)
    }

    /// Those of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Descriptor> {
        self.manifests.iter().filter(move |listed| listed.artifact_type.as_deref() == Some(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_names_its_subject_and_is_listed() {
        let subject = Descriptor::of(MANIFEST_MEDIA_TYPE, b"{}");
        let make = || attach(subject.clone(), "text/x-list", "list.txt", b"a".to_vec()).unwrap();
        let made = make();
        assert_eq!(made.manifest, make().manifest, "same input, same digest");
        let read = Manifest::parse(&made.manifest).unwrap();
        assert_eq!(read.subject.as_ref(), Some(&subject));
        assert_eq!(read.layers, [made.blobs[1].0.clone()]);
        // The specification gives this digest for the empty config.
        let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(read.config.digest.hex(), empty);
        let index = Index { manifests: vec![subject, made.listed.clone()], ..Index::default() };
        let read = Index::parse(&index.to_bytes().unwrap()).unwrap();
        assert_eq!(read.of_kind("text/x-list").collect::<Vec<_>>(), [&made.listed]);
        assert!(Index::parse(br#"{"schemaVersion":2}"#).is_err());
    }
}
