//! From a reference to a component that may be used: out of the cache where it can be, from the
//! registry where it must, past the gate always.

use std::path::PathBuf;
use std::sync::Arc;

use artifact::{Descriptor, Digest, Index, Manifest, ManifestError, Reference, Repository};
use async_trait::async_trait;
use cache::Cache;

use crate::client::{Answered, Client};
use crate::error::RegistryError;
use crate::gate::{Admission, Asked, Gate, Related};

/// Whether registries are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Never: what is not in the cache is an error.
    Never,
    /// For what is not in the cache.
    Missing,
    /// For what a tag stands for today, too.
    Fresh,
}

/// Told how many bytes of how many have arrived.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A component that passed the gate just now.
#[derive(Debug, Clone)]
pub struct Opened {
    /// With its digest.
    pub reference: Reference,
    pub manifest: Manifest,
    pub admission: Admission,
    /// Verified in this call.
    pub component: Vec<u8>,
    /// Where the cache has it.
    pub path: PathBuf,
    /// Whether bytes were fetched for this.
    pub pulled: bool,
}

/// The cache, the registries behind it, and the gate before both.
#[derive(Clone)]
pub struct Store {
    cache: Cache,
    client: Arc<Client>,
    gate: Arc<dyn Gate>,
}

impl Store {
    pub fn new(cache: Cache, client: Arc<Client>, gate: Arc<dyn Gate>) -> Self {
        Self { cache, client, gate }
    }

    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// A component, verified and let through. One that is pinned and in the cache costs no request.
    pub async fn open(
        &self,
        reference: &Reference,
        network: Network,
        progress: &Progress,
    ) -> Result<Opened, RegistryError> {
        if let Some((digest, bytes)) = self.known(reference, network)? {
            let manifest = parse(reference, &bytes)?;
            let layer = fit(reference, &manifest)?.clone();
            if let Some(component) = self.cache.read_described(&layer)? {
                let admission = self.admit(reference, digest, &bytes, network).await?;
                return Ok(self.opened(reference, digest, manifest, admission, component, false));
            }
        }
        if network == Network::Never {
            return Err(RegistryError::Offline(reference.clone().into()));
        }
        self.pull(reference, progress).await
    }

    /// The manifest that the cache has for a reference.
    fn known(
        &self,
        reference: &Reference,
        network: Network,
    ) -> Result<Option<(Digest, Vec<u8>)>, RegistryError> {
        let digest = match reference.digest {
            Some(digest) => Some(digest),
            None if network == Network::Fresh => None,
            None => self.cache.record(&reference.to_string())?.map(|record| record.digest),
        };
        let Some(digest) = digest else { return Ok(None) };
        let bytes = self.cache.read(&digest, artifact::MANIFEST_MAX_BYTES)?;
        Ok(bytes.map(|bytes| (digest, bytes)))
    }

    async fn pull(
        &self,
        reference: &Reference,
        progress: &Progress,
    ) -> Result<Opened, RegistryError> {
        let repository = &reference.repository;
        let found = self.asked(reference).await?;
        let manifest = parse(reference, &found.bytes)?;
        let layer = fit(reference, &manifest)?.clone();
        let related = Beside { store: self, repository, network: Network::Fresh };
        let admission = self.ask_gate(reference, found.digest, &found.bytes, &related).await?;
        let silent: Progress = Arc::new(|_, _| ());
        // Both at once: blobs are named by their content, so that a tag that moves meanwhile
        // changes nothing.
        let (component, config) = tokio::join!(
            self.fetch(repository, &layer, progress),
            self.fetch(repository, &manifest.config, &silent),
        );
        let (component, _) = (component?, config?);
        // Last, so that a manifest in the cache has its parts there.
        self.keep(reference, &found)?;
        Ok(self.opened(reference, found.digest, manifest, admission, component, true))
    }

    /// The manifest of anything, let through; its parts need not be there.
    pub(crate) async fn admitted(
        &self,
        reference: &Reference,
        network: Network,
    ) -> Result<(Manifest, Admission), RegistryError> {
        if let Some((digest, bytes)) = self.known(reference, network)? {
            let manifest = parse(reference, &bytes)?;
            return Ok((manifest, self.admit(reference, digest, &bytes, network).await?));
        }
        if network == Network::Never {
            return Err(RegistryError::Offline(reference.clone().into()));
        }
        let found = self.asked(reference).await?;
        let manifest = parse(reference, &found.bytes)?;
        let related =
            Beside { store: self, repository: &reference.repository, network: Network::Fresh };
        let admission = self.ask_gate(reference, found.digest, &found.bytes, &related).await?;
        self.keep(reference, &found)?;
        Ok((manifest, admission))
    }

    /// What the registry has under a reference today.
    async fn asked(&self, reference: &Reference) -> Result<Answered, RegistryError> {
        let (repository, tag) = (&reference.repository, reference.tag());
        let found = self.client.manifest(repository, tag, reference.digest).await?;
        found.ok_or_else(|| RegistryError::NotFound(reference.to_string()))
    }

    fn keep(&self, reference: &Reference, found: &Answered) -> Result<(), RegistryError> {
        self.cache.put(&found.bytes)?;
        if reference.digest.is_none() {
            self.cache.keep_record(&reference.to_string(), found.digest)?;
        }
        Ok(())
    }

    /// A blob, from the cache or the registry; one process fetches, others wait and find it.
    pub(crate) async fn fetch(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        progress: &Progress,
    ) -> Result<Vec<u8>, RegistryError> {
        let (cache, digest) = (self.cache.clone(), blob.digest);
        let held = tokio::task::spawn_blocking(move || cache.hold(&digest)).await;
        let held = held.map_err(|_| RegistryError::Offline(repository.at(digest).into()))??;
        if let Some(bytes) = self.cache.read_described(blob)? {
            return Ok(bytes);
        }
        let mut incoming = self.cache.incoming(&digest, blob.size, &held)?;
        let (progress, size) = (progress.clone(), blob.size);
        let tell = move |length| progress(length, size);
        self.client.blob(repository, blob, &mut incoming, &tell).await?;
        incoming.finish()?;
        let bytes = self.cache.read_described(blob)?;
        bytes.ok_or_else(|| RegistryError::NotFound(repository.at(digest).to_string()))
    }

    /// Asks the gate about what is in the cache. With what is there first; only if that does not
    /// suffice, and the network may be asked, with what the registry has.
    async fn admit(
        &self,
        reference: &Reference,
        digest: Digest,
        bytes: &[u8],
        network: Network,
    ) -> Result<Admission, RegistryError> {
        let repository = &reference.repository;
        let cached = Beside { store: self, repository, network: Network::Never };
        let first = self.ask_gate(reference, digest, bytes, &cached).await;
        if first.is_ok() || network == Network::Never {
            return first;
        }
        let fresh = Beside { store: self, repository, network: Network::Fresh };
        self.ask_gate(reference, digest, bytes, &fresh).await
    }

    async fn ask_gate(
        &self,
        reference: &Reference,
        digest: Digest,
        manifest: &[u8],
        related: &dyn Related,
    ) -> Result<Admission, RegistryError> {
        let asked = Asked { repository: &reference.repository, digest, manifest, related };
        let reference = Box::new(reference.pinned(digest));
        let answer = self.gate.admit(&asked).await;
        answer.map_err(|source| RegistryError::Refused { reference, source })
    }

    /// What was attached last to the manifest of a reference with a digest, of one of these kinds:
    /// it passes the gate like the manifest itself, and has at most `max` bytes. `None`: nothing is.
    pub async fn attached(
        &self,
        reference: &Reference,
        kinds: &[&str],
        max: u64,
        network: Network,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let beside = Beside { store: self, repository: &reference.repository, network };
        let Some(subject) = reference.digest else { return Ok(None) };
        let Some(index) = beside.referrers(subject).await? else { return Ok(None) };
        let index = Index::parse(&index).map_err(|source| unfit(reference, source))?;
        let wanted = |listed: &&Descriptor| {
            listed.artifact_type.as_deref().is_some_and(|kind| kinds.contains(&kind))
        };
        for listed in index.manifests.iter().rev().filter(wanted) {
            let Some(bytes) = beside.at(listed.digest).await? else { continue };
            let manifest = parse(reference, &bytes)?;
            let of_it = manifest.subject.as_ref().is_some_and(|of| of.digest == subject);
            if let (true, [layer]) = (of_it, manifest.layers.as_slice()) {
                self.ask_gate(reference, listed.digest, &bytes, &beside).await?;
                return beside.blob(layer, max).await;
            }
        }
        Ok(None)
    }

    fn opened(
        &self,
        reference: &Reference,
        digest: Digest,
        manifest: Manifest,
        admission: Admission,
        component: Vec<u8>,
        pulled: bool,
    ) -> Opened {
        let path = manifest.layers.first().map(|layer| self.cache.path(&layer.digest));
        let (reference, path) = (reference.pinned(digest), path.unwrap_or_default());
        Opened { reference, manifest, admission, component, path, pulled }
    }
}

fn parse(reference: &Reference, bytes: &[u8]) -> Result<Manifest, RegistryError> {
    Manifest::parse(bytes).map_err(|source| unfit(reference, source))
}

fn fit<'a>(reference: &Reference, manifest: &'a Manifest) -> Result<&'a Descriptor, RegistryError> {
    manifest.component().map_err(|source| unfit(reference, source))
}

fn unfit(reference: &Reference, source: ManifestError) -> RegistryError {
    RegistryError::Unfit { reference: reference.clone().into(), source }
}

/// What stands beside an artifact.
struct Beside<'a> {
    store: &'a Store,
    repository: &'a Repository,
    network: Network,
}

#[async_trait]
impl Related for Beside<'_> {
    async fn manifest(&self, tag: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let (cache, name) = (&self.store.cache, format!("{}:{tag}", self.repository));
        if self.network == Network::Never {
            let Some(record) = cache.record(&name)? else { return Ok(None) };
            return Ok(cache.read(&record.digest, artifact::MANIFEST_MAX_BYTES)?);
        }
        let found = self.store.client.manifest(self.repository, tag, None).await?;
        let Some(found) = found else { return Ok(None) };
        cache.put(&found.bytes)?;
        cache.keep_record(&name, found.digest)?;
        Ok(Some(found.bytes))
    }

    async fn at(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let cache = &self.store.cache;
        let kept = cache.read(&digest, artifact::MANIFEST_MAX_BYTES)?;
        if kept.is_some() || self.network == Network::Never {
            return Ok(kept);
        }
        let found = self.store.client.manifest(self.repository, "", Some(digest)).await?;
        let Some(found) = found else { return Ok(None) };
        cache.put(&found.bytes)?;
        Ok(Some(found.bytes))
    }

    async fn blob(&self, blob: &Descriptor, max: u64) -> Result<Option<Vec<u8>>, RegistryError> {
        if blob.size > max {
            let address = self.repository.at(blob.digest).to_string();
            return Err(RegistryError::TooLarge { address, max });
        }
        if self.network == Network::Never {
            return Ok(self.store.cache.read_described(blob)?);
        }
        let silent: Progress = Arc::new(|_, _| ());
        self.store.fetch(self.repository, blob, &silent).await.map(Some)
    }

    async fn referrers(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let (cache, name) = (&self.store.cache, format!("{}/referrers/{digest}", self.repository));
        if self.network == Network::Never {
            let Some(record) = cache.record(&name)? else { return Ok(None) };
            return Ok(cache.read(&record.digest, artifact::MANIFEST_MAX_BYTES)?);
        }
        let found = self.store.client.referrers(self.repository, digest).await?;
        let Some(bytes) = found else { return Ok(None) };
        let index = cache.put(&bytes)?;
        cache.keep_record(&name, index)?;
        Ok(Some(bytes))
    }
}
