//! A file that is not there yet: its bytes so far, what is known of where they came from, and the
//! digest that grows with them.
//!
//! Stands beside the place of the whole file, under a name that no model has. A note beside it says
//! which address and which version its bytes are of; without one that fits they are worth nothing.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::PullError;

/// Bytes hashed at a time.
const BLOCK: usize = 1 << 20;
/// First bytes of every GGUF file.
pub(crate) const MAGIC: &[u8; 4] = b"GGUF";

/// What the bytes are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// As it was asked for, before redirects.
    pub url: String,
    /// The strong version, when the server gives one.
    pub version: Option<String>,
    /// All bytes of the file.
    pub total: Option<u64>,
    pub digest: Digest,
}

pub(crate) struct Partial {
    path: PathBuf,
    note_path: PathBuf,
    file: File,
    hasher: Sha256,
    length: u64,
    note: Option<Note>,
}

impl Partial {
    /// Opens what there is for `place`. Bytes with a note are hashed, those without one dropped.
    pub fn open(place: &Path, tell: &mut dyn FnMut(u64)) -> Result<Self, PullError> {
        let path = beside(place, "partial");
        let note_path = beside(place, "partial.json");
        let note = std::fs::read(&note_path).ok().and_then(|n| serde_json::from_slice(&n).ok());
        let failed = |source| PullError::file(&path, source);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(note.is_none())
            .open(&path)
            .map_err(failed)?;
        let mut partial =
            Self { path: path.clone(), note_path, file, hasher: Sha256::new(), length: 0, note };
        let mut block = vec![0; BLOCK];
        loop {
            let read = partial.file.read(&mut block).map_err(failed)?;
            if read == 0 {
                return Ok(partial);
            }
            partial.hasher.update(&block[..read]);
            partial.length += read as u64;
            tell(partial.length);
        }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Starts over with bytes of another origin.
    pub fn restart(&mut self, note: Note) -> Result<(), PullError> {
        let failed = |source| PullError::file(&self.path, source);
        self.file.set_len(0).map_err(failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.hasher = Sha256::new();
        self.length = 0;
        let text = serde_json::to_vec(&note).unwrap_or_default();
        std::fs::write(&self.note_path, text).map_err(|e| PullError::file(&self.note_path, e))?;
        self.note = Some(note);
        Ok(())
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<(), PullError> {
        self.file.write_all(bytes).map_err(|source| PullError::file(&self.path, source))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    pub fn digest(&self) -> Digest {
        Digest::of(self.hasher.clone().finalize().into())
    }

    /// Gives the file its name, once it and then its name are on the disk.
    pub fn finish(self, place: &Path) -> Result<(), PullError> {
        self.file.sync_all().map_err(|source| PullError::file(&self.path, source))?;
        std::fs::rename(&self.path, place).map_err(|source| PullError::file(place, source))?;
        // Of a file that is whole nothing needs to be known.
        let _ = std::fs::remove_file(&self.note_path);
        sync_folder(place)
    }

    /// Deletes it.
    pub fn discard(self) {
        drop(self.file);
        remove(&self.path);
        remove(&self.note_path);
    }
}

/// Deletes what a download to `place` left behind.
pub(crate) fn discard(place: &Path) {
    remove(&beside(place, "partial"));
    remove(&beside(place, "partial.json"));
}

/// The SHA-256 of a file.
pub(crate) fn digest_of(path: &Path, tell: &mut dyn FnMut(u64)) -> Result<Digest, PullError> {
    let failed = |source| PullError::file(path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut length = 0;
    loop {
        let read = file.read(&mut block).map_err(failed)?;
        if read == 0 {
            return Ok(Digest::of(hasher.finalize().into()));
        }
        hasher.update(&block[..read]);
        length += read as u64;
        tell(length);
    }
}

/// A hidden name beside a file.
pub(crate) fn beside(place: &Path, ending: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.{ending}"))
}

fn remove(path: &Path) {
    // What cannot be removed is found again and dropped by its note.
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a part of a download is left behind");
    }
}

#[cfg(unix)]
fn sync_folder(place: &Path) -> Result<(), PullError> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let opened = File::open(folder).and_then(|folder| folder.sync_all());
    opened.map_err(|source| PullError::file(folder, source))
}

/// Folders cannot be synced there; the file system's journal keeps names.
#[cfg(not(unix))]
fn sync_folder(_place: &Path) -> Result<(), PullError> {
    Ok(())
}
