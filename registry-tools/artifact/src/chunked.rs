//! Large content, like the image of a machine, as an artifact of many small layers: a reader fetches
//! those that it needs, and versions share those that are the same. The layers, one after another, are
//! the content; where one ends is the publisher's choice.
//!
//! An image manifest of the OCI specification with an empty config: `oras` and `skopeo` copy it.

use crate::attachment::{EMPTY, EMPTY_MEDIA_TYPE};
use crate::digest::Digest;
use crate::manifest::{
    CREATED, Descriptor, MANIFEST_MAX_BYTES, MANIFEST_MEDIA_TYPE, Manifest, ManifestError, line,
};

/// A part of content; it says nothing by itself.
pub const CHUNK_MEDIA_TYPE: &str = "application/vnd.xpressclaw.chunk.v1";
/// One is fetched, verified and kept at a time, in memory.
pub const CHUNK_MAX_BYTES: u64 = 4 << 20;
/// As many as a manifest of [`MANIFEST_MAX_BYTES`] holds, with room for annotations.
pub const CHUNKS_MAX: usize = 5_000;

/// Content in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    chunks: Vec<Descriptor>,
    /// Where each begins in the content, and where the last one ends.
    bounds: Vec<u64>,
}

impl Chunks {
    /// From the parts, in their order.
    pub fn new(chunks: Vec<Descriptor>) -> Result<Self, ManifestError> {
        if chunks.is_empty() || chunks.len() > CHUNKS_MAX {
            return Err(ManifestError::Chunks(chunks.len()));
        }
        let (mut bounds, mut end) = (vec![0], 0);
        for chunk in &chunks {
            if chunk.media_type != CHUNK_MEDIA_TYPE {
                return Err(ManifestError::Chunk(line(&chunk.media_type)));
            }
            if chunk.size == 0 || chunk.size > CHUNK_MAX_BYTES {
                return Err(ManifestError::ChunkSize(chunk.size));
            }
            end += chunk.size;
            bounds.push(end);
        }
        Ok(Self { chunks, bounds })
    }

    /// Of a manifest whose content is of this kind.
    pub fn of(manifest: &Manifest, kind: &str) -> Result<Self, ManifestError> {
        let found = manifest.artifact_type.as_deref().unwrap_or_default();
        if found != kind {
            return Err(ManifestError::Content { found: line(found), expected: kind.to_owned() });
        }
        Self::new(manifest.layers.clone())
    }

    /// Of the whole content, in bytes.
    pub fn size(&self) -> u64 {
        self.bounds.last().copied().unwrap_or_default()
    }

    pub fn all(&self) -> &[Descriptor] {
        &self.chunks
    }

    /// The chunk that holds the byte at `offset`, and where in it that byte is. `None`: behind the
    /// end.
    pub fn at(&self, offset: u64) -> Option<(usize, u64)> {
        let after = self.bounds.partition_point(|bound| *bound <= offset);
        let index = after.checked_sub(1)?;
        self.chunks.get(index)?;
        Some((index, offset - self.bounds[index]))
    }

    /// The manifest, the config that it needs, and the manifest's digest.
    pub fn pack(&self, kind: &str) -> Result<PackedChunks, ManifestError> {
        let config = (Descriptor::of(EMPTY_MEDIA_TYPE, EMPTY), EMPTY.to_vec());
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST_MEDIA_TYPE.into()),
            artifact_type: Some(kind.into()),
            config: config.0.clone(),
            layers: self.chunks.clone(),
            subject: None,
            annotations: [("org.opencontainers.image.created".into(), CREATED.into())].into(),
        };
        let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::Malformed)?;
        if manifest.len() as u64 > MANIFEST_MAX_BYTES {
            return Err(ManifestError::TooLong(manifest.len() as u64));
        }
        let digest = Digest::of(&manifest);
        Ok(PackedChunks { manifest, config, digest })
    }
}

/// Content in chunks with what a registry wants of it.
#[derive(Debug, Clone)]
pub struct PackedChunks {
    pub manifest: Vec<u8>,
    pub config: (Descriptor, Vec<u8>),
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(size: u64) -> Descriptor {
        Descriptor { size, ..Descriptor::of(CHUNK_MEDIA_TYPE, b"x") }
    }

    #[test]
    fn a_byte_is_found_in_its_chunk() {
        let chunks = Chunks::new(vec![chunk(3), chunk(1), chunk(2)]).unwrap();
        assert_eq!(chunks.size(), 6);
        let found: Vec<_> = (0..8).map(|offset| chunks.at(offset)).collect();
        let at = |index, within| Some((index, within));
        assert_eq!(found, [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(2, 0), at(2, 1), None, None]);
        assert_eq!(chunks.at(u64::MAX), None);
    }

    #[test]
    fn what_is_packed_is_read_and_what_is_none_is_refused() {
        let chunks = Chunks::new(vec![chunk(3); CHUNKS_MAX]).unwrap();
        let packed = chunks.pack("a/kind").unwrap();
        assert_eq!(packed.digest, chunks.pack("a/kind").unwrap().digest);
        let manifest = Manifest::parse(&packed.manifest).unwrap();
        assert_eq!(Chunks::of(&manifest, "a/kind").unwrap(), chunks);
        assert!(manifest.component().is_err());
        let other = Chunks::of(&manifest, "another/kind").unwrap_err().to_string();
        assert!(other.contains("a/kind") && other.contains("another/kind"), "{other}");
        for (bad, expected) in [
            (vec![], "0 chunks"),
            (vec![chunk(1); CHUNKS_MAX + 1], "5001 chunks"),
            (vec![chunk(0)], "0 bytes"),
            (vec![chunk(u64::MAX)], "18446744073709551615 bytes"),
            (vec![Descriptor::of("text/plain", b"x")], "text/plain"),
        ] {
            let error = Chunks::new(bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
