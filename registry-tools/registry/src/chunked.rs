//! Large content in chunks: pushed so that what is there is not sent again, and read where it is
//! needed. The cuts follow the content (FastCDC), so that a byte that is put in moves the chunks
//! around it and no others.
//!
//! FastCDC: Xia and others, "The Design of Fast Content-Defined Chunking for Data Deduplication Based
//! Storage Systems", IEEE TPDS 31 (2020), as the crate `fastcdc` has it.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use artifact::{
    CHUNK_MAX_BYTES, CHUNK_MEDIA_TYPE, CHUNKS_MAX, Chunks, Descriptor, MANIFEST_MEDIA_TYPE,
    ManifestError, Reference, Repository,
};
use fastcdc::v2020::StreamCDC;

use crate::client::Client;
use crate::error::RegistryError;
use crate::push::Pushed;
use crate::store::{Network, Progress, Store};

/// Smaller ones cost a request each for little.
const CHUNK_MIN_BYTES: usize = 256 << 10;
/// What a page fault of a machine fetches over the network, a fraction of a second's worth; and some
/// hundred in an image.
const CHUNK_BYTES: usize = 1 << 20;

/// Sends content in chunks, then the manifest that names them. `kind` is the content's media type.
/// Reads `content` on the calling thread.
pub async fn push_chunked(
    client: &Client,
    reference: &Reference,
    kind: &str,
    content: impl Read,
) -> Result<Pushed, RegistryError> {
    let repository = &reference.repository;
    let (mut chunks, mut there, mut sent_bytes) = (Vec::new(), BTreeSet::new(), 0);
    let largest = usize::try_from(CHUNK_MAX_BYTES).unwrap_or(usize::MAX);
    for chunk in StreamCDC::new(content, CHUNK_MIN_BYTES, CHUNK_BYTES, largest) {
        let bytes = chunk.map_err(|error| RegistryError::Content(error.into()))?.data;
        let descriptor = Descriptor::of(CHUNK_MEDIA_TYPE, &bytes);
        if chunks.len() == CHUNKS_MAX {
            return Err(ManifestError::Chunks(CHUNKS_MAX + 1).into());
        }
        if there.insert(descriptor.digest)
            && client.send_blob(repository, &descriptor, bytes.into()).await?
        {
            sent_bytes += descriptor.size;
        }
        chunks.push(descriptor);
    }
    let packed = Chunks::new(chunks)?.pack(kind)?;
    if let Some(expected) = reference.digest
        && expected != packed.digest
    {
        let (address, found) = (reference.to_string(), packed.digest);
        return Err(RegistryError::WrongDigest { address, expected, found });
    }
    let (config, bytes) = packed.config;
    if client.send_blob(repository, &config, bytes.into()).await? {
        sent_bytes += config.size;
    }
    let manifest = Descriptor::of(MANIFEST_MEDIA_TYPE, &packed.manifest);
    let digest = client.send_manifest(repository, Some(reference.tag()), packed.manifest).await?;
    Ok(Pushed { reference: reference.pinned(digest), digest, manifest, sent_bytes })
}

/// Content in chunks that passed the gate. What is read is fetched then, verified, and kept in the
/// cache; a chunk that is there costs no request.
pub struct Chunked {
    store: Store,
    repository: Repository,
    chunks: Chunks,
    network: Network,
    /// Reads of a block are followed by reads of its neighbour.
    last: Mutex<Option<(usize, Arc<Vec<u8>>)>>,
}

impl Store {
    /// Content of this kind, let through; none of its chunks is fetched yet.
    pub async fn open_chunked(
        &self,
        reference: &Reference,
        kind: &str,
        network: Network,
    ) -> Result<Chunked, RegistryError> {
        let (manifest, _) = self.admitted(reference, network).await?;
        let chunks = Chunks::of(&manifest, kind).map_err(|source| RegistryError::Unfit {
            reference: Box::new(reference.clone()),
            source,
        })?;
        let (store, repository) = (self.clone(), reference.repository.clone());
        Ok(Chunked { store, repository, chunks, network, last: Mutex::default() })
    }
}

impl Chunked {
    /// In bytes.
    pub fn size(&self) -> u64 {
        self.chunks.size()
    }

    /// Up to `length` bytes from `offset` on: fewer at the end of the content, none behind it.
    /// Dropping the future stops a fetch; what arrived of it is continued later.
    pub async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, RegistryError> {
        let mut out = Vec::new();
        while out.len() < length
            && let Some((index, within)) = self.chunks.at(offset.saturating_add(out.len() as u64))
        {
            let chunk = self.chunk(index).await?;
            let from = usize::try_from(within).unwrap_or(usize::MAX).min(chunk.len());
            let to = chunk.len().min(from + (length - out.len()));
            out.extend_from_slice(&chunk[from..to]);
        }
        Ok(out)
    }

    async fn chunk(&self, index: usize) -> Result<Arc<Vec<u8>>, RegistryError> {
        if let Some((last, bytes)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && *last == index
        {
            return Ok(bytes.clone());
        }
        let chunk = &self.chunks.all()[index];
        let bytes =
            match self.network {
                Network::Never => self.store.cache().read_described(chunk)?.ok_or_else(|| {
                    RegistryError::Offline(self.repository.at(chunk.digest).into())
                })?,
                _ => {
                    let silent: Progress = Arc::new(|_, _| ());
                    self.store.fetch(&self.repository, chunk, &silent).await?
                }
            };
        let bytes = Arc::new(bytes);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((index, bytes.clone()));
        Ok(bytes)
    }
}
