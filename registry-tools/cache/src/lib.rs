//! What was pulled from registries, on this machine's disk: content by digest, and which digest a
//! name had when it was last asked for.
//!
//! Content is written beside its place, synced, and renamed; its digest is checked before that and
//! whenever it is read. A process that ends at any write leaves what was there before, or what was
//! meant to be there. Compiled code is never kept here, and never comes from a registry.
//!
//! `registry` writes, the binary lists and cleans. It must never hand out a byte that it did not
//! verify in the same call.

mod clean;
mod error;
mod files;
mod incoming;
mod record;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use artifact::{Descriptor, Digest};

pub use clean::{Cleaned, Keep};
pub use error::CacheError;
pub use incoming::Incoming;
pub use record::Record;

/// Called before each write, with what is written next.
pub type Step = Arc<dyn Fn(&'static str) -> std::io::Result<()> + Send + Sync>;

/// The cache. Cheap to clone; processes may share a folder.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    step: Option<Step>,
}

/// The right to write one digest; other processes wait. Given back when dropped, or when the
/// process ends, however it does.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "closing it gives the lock back")] File);

impl Cache {
    /// The cache in `folder`, which is made when first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), step: None }
    }

    /// Tells `step` before each write. For tests that fail or end the process there.
    pub fn with_steps(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where content is, whether it is there or not.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("sha256").join(digest.hex())
    }

    /// Whether there is a file of this name. Says nothing about its bytes.
    pub fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Content, verified. `None`: it is not there, or what was there had another digest and was
    /// removed, so that it is fetched again. `max` is in bytes.
    pub fn read(&self, digest: &Digest, max: u64) -> Result<Option<Vec<u8>>, CacheError> {
        let path = self.path(digest);
        let Some(bytes) = files::read(&path, max)? else { return Ok(None) };
        if Digest::of(&bytes) == *digest {
            files::mark_used(&path);
            return Ok(Some(bytes));
        }
        tracing::error!(path = %path.display(), "content in the cache was altered; it is removed");
        files::remove(&path)?;
        Ok(None)
    }

    /// Content that a descriptor names: its size must be right, too.
    pub fn read_described(&self, described: &Descriptor) -> Result<Option<Vec<u8>>, CacheError> {
        let found = self.read(&described.digest, described.size)?;
        Ok(found.filter(|bytes| bytes.len() as u64 == described.size))
    }

    /// Keeps bytes that are at hand, under their digest.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, CacheError> {
        let digest = Digest::of(bytes);
        let held = self.hold(&digest)?;
        if self.read(&digest, bytes.len() as u64)?.is_none() {
            let mut incoming = self.incoming(&digest, bytes.len() as u64, &held)?;
            incoming.restart()?;
            incoming.append(bytes)?;
            incoming.finish()?;
        }
        Ok(digest)
    }

    /// Waits for the right to write `digest`.
    pub fn hold(&self, digest: &Digest) -> Result<Held, CacheError> {
        let (path, file) = self.lock_file(digest)?;
        file.lock().map_err(|e| CacheError::file(&path, e))?;
        Ok(Held(file))
    }

    /// The right to write `digest`, unless another process has it.
    pub(crate) fn try_hold(&self, digest: &Digest) -> Result<Option<Held>, CacheError> {
        let (path, file) = self.lock_file(digest)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(CacheError::file(&path, error)),
        }
    }

    fn lock_file(&self, digest: &Digest) -> Result<(PathBuf, File), CacheError> {
        let folder = self.folder.join("locks");
        files::make_folder(&folder)?;
        let path = folder.join(digest.hex());
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|e| CacheError::file(&path, e))?;
        Ok((path, file))
    }

    /// The place that `size` bytes of `digest` are written to, with what an earlier try left.
    pub fn incoming(&self, digest: &Digest, size: u64, _: &Held) -> Result<Incoming, CacheError> {
        files::make_folder(&self.folder.join("sha256"))?;
        files::make_folder(&self.folder.join("partial"))?;
        let partial = self.folder.join("partial").join(digest.hex());
        Incoming::open(*digest, size, partial, self.path(digest), self.step.clone())
    }
}
