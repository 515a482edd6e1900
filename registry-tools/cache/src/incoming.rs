//! Content on its way: bytes so far, and the digest that grows with them. What an earlier try left is
//! continued; whether its bytes were right shows at the end, and then nothing of them is kept.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use artifact::{Digest, Hasher};

use crate::Step;
use crate::error::CacheError;
use crate::files;

/// Bytes hashed at a time.
const BLOCK: usize = 1 << 18;

/// Content that is not whole yet.
pub struct Incoming {
    digest: Digest,
    size: u64,
    partial: PathBuf,
    place: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
    step: Option<Step>,
}

impl Incoming {
    pub(crate) fn open(
        digest: Digest,
        size: u64,
        partial: PathBuf,
        place: PathBuf,
        step: Option<Step>,
    ) -> Result<Self, CacheError> {
        files::step(&step, &partial, "content: create")?;
        let failed = |source| CacheError::file(&partial, source);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&partial);
        let mut file = file.map_err(failed)?;
        let (mut hasher, mut length, mut block) = (Hasher::default(), 0, vec![0; BLOCK]);
        loop {
            let read = file.read(&mut block).map_err(failed)?;
            if read == 0 {
                break;
            }
            hasher.update(&block[..read]);
            length += read as u64;
        }
        let mut incoming =
            Self { digest, size, partial: partial.clone(), place, file, hasher, length, step };
        if length >= size {
            incoming.restart()?;
        }
        Ok(incoming)
    }

    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Drops what is there.
    pub fn restart(&mut self) -> Result<(), CacheError> {
        let failed = |source| CacheError::file(&self.partial, source);
        self.file.set_len(0).map_err(failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.hasher = Hasher::default();
        self.length = 0;
        Ok(())
    }

    /// Adds bytes. More than there may be are not written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), CacheError> {
        let length = self.length + bytes.len() as u64;
        if length > self.size {
            files::remove(&self.partial)?;
            let (digest, expected) = (self.digest, self.size);
            return Err(CacheError::WrongSize { digest, expected, found: length });
        }
        files::step(&self.step, &self.partial, "content: write")?;
        self.file.write_all(bytes).map_err(|e| CacheError::file(&self.partial, e))?;
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// Puts the content in its place, if it is what it was said to be.
    pub fn finish(self) -> Result<(), CacheError> {
        let (digest, expected, found) = (self.digest, self.size, self.length);
        if found != expected {
            files::remove(&self.partial)?;
            return Err(CacheError::WrongSize { digest, expected, found });
        }
        let found = self.hasher.finish();
        if found != digest {
            files::remove(&self.partial)?;
            return Err(CacheError::WrongDigest { expected: digest, found });
        }
        files::step(&self.step, &self.partial, "content: sync")?;
        self.file.sync_all().map_err(|e| CacheError::file(&self.partial, e))?;
        files::step(&self.step, &self.place, "content: rename")?;
        std::fs::rename(&self.partial, &self.place)
            .map_err(|e| CacheError::file(&self.place, e))?;
        files::step(&self.step, &self.place, "content: sync folder")?;
        self.place.parent().map_or(Ok(()), files::sync_folder)
    }
}
