//! Who decides whether an artifact may be used. Asked before a pull is kept as usable, and again at
//! each use from the cache.

use artifact::{Descriptor, Digest, Repository};
use async_trait::async_trait;

use crate::error::RegistryError;

/// Decides. One that is not sure refuses.
#[async_trait]
pub trait Gate: Send + Sync {
    /// `Ok` lets the artifact through. An error of the network while proof is looked for is a
    /// refusal.
    async fn admit(&self, asked: &Asked<'_>) -> Result<Admission, Refused>;
}

/// What is decided upon.
pub struct Asked<'a> {
    /// Where it comes from.
    pub repository: &'a Repository,
    /// The digest of `manifest`, verified.
    pub digest: Digest,
    pub manifest: &'a [u8],
    /// Gives what else the repository has, from the cache first where that is permitted.
    pub related: &'a dyn Related,
}

/// What stands beside an artifact in its repository: signatures, lists of parts. All of it is
/// verified against its digest, and none of it believed.
#[async_trait]
pub trait Related: Send + Sync {
    /// The manifest under a tag of the same repository. `None`: there is none, or it is not in the
    /// cache and the network may not be asked. What is found is kept in the cache for later uses.
    async fn manifest(&self, tag: &str) -> Result<Option<Vec<u8>>, RegistryError>;

    /// The manifest of a digest in the same repository; otherwise as above.
    async fn at(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError>;

    /// A blob of the same repository, of at most `max` bytes.
    async fn blob(&self, blob: &Descriptor, max: u64) -> Result<Option<Vec<u8>>, RegistryError>;

    /// The repository's index of what refers to `digest`, as the registry lists it. `None`:
    /// nothing does, or the network may not be asked and none is in the cache.
    async fn referrers(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError>;
}

/// It may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// What the user should know all the same.
    pub warning: Option<String>,
    /// Who vouches for it, to be shown.
    pub proof: Option<String>,
}

/// It may not. The text says why, the fix what to do.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    pub reason: String,
    /// The exact lines, or the command, that would change it.
    pub fix: Option<String>,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Refused {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fix: None, source: None }
    }
}
