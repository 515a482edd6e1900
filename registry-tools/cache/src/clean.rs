//! Makes room: by age, and by size from the oldest on. What is pinned stays.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use artifact::Digest;

use crate::error::CacheError;
use crate::{Cache, files};

/// What stays.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// Content that is never removed.
    pub pinned: BTreeSet<Digest>,
    /// Content that was written or used within this time stays, unless `bytes` asks for more room.
    pub age: Duration,
    /// The most that may stay, in bytes; pinned content stays all the same.
    pub bytes: u64,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub files: u64,
    pub bytes: u64,
    /// What is still there.
    pub kept_bytes: u64,
}

struct Entry {
    path: PathBuf,
    /// By its name.
    digest: Option<Digest>,
    size: u64,
    age: Duration,
    pinned: bool,
}

impl Cache {
    /// Removes what `keep` does not keep, and what broken downloads left. What another process writes
    /// at the moment is left to it, and what one reads stays readable to it.
    pub fn clean(&self, keep: &Keep) -> Result<Cleaned, CacheError> {
        let mut cleaned = Cleaned::default();
        for entry in self.entries("partial", keep)? {
            if entry.age > keep.age {
                self.take_away(&entry, &mut cleaned)?;
            }
        }
        let mut entries = self.entries("sha256", keep)?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.age));
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        for entry in entries.iter().filter(|entry| !entry.pinned) {
            let unwanted = entry.age > keep.age || total > keep.bytes;
            if unwanted && self.take_away(entry, &mut cleaned)? {
                total -= entry.size;
            }
        }
        for record in self.records()? {
            if !self.has(&record.digest) {
                self.forget(&record.name)?;
            }
        }
        Ok(Cleaned { kept_bytes: total, ..cleaned })
    }

    /// Removes a file, unless a process writes what is to become of it. `true`: it was removed.
    fn take_away(&self, entry: &Entry, cleaned: &mut Cleaned) -> Result<bool, CacheError> {
        let held = match &entry.digest {
            // Whoever writes it later finds it gone, and makes it anew.
            Some(digest) => match self.try_hold(digest)? {
                Some(held) => Some(held),
                None => return Ok(false),
            },
            // Nothing of ours is called like this.
            None => None,
        };
        files::remove(&entry.path)?;
        drop(held);
        cleaned.files += 1;
        cleaned.bytes += entry.size;
        Ok(true)
    }

    /// All content, by its file's name; for lists.
    pub fn size(&self) -> Result<u64, CacheError> {
        Ok(self.entries("sha256", &Keep::default())?.iter().map(|entry| entry.size).sum())
    }

    fn entries(&self, folder: &str, keep: &Keep) -> Result<Vec<Entry>, CacheError> {
        let Ok(entries) = std::fs::read_dir(self.folder.join(folder)) else {
            return Ok(Vec::new());
        };
        let (mut found, now) = (Vec::new(), SystemTime::now());
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let name = entry.file_name();
            let digest = format!("sha256:{}", name.to_string_lossy()).parse::<Digest>().ok();
            let modified = metadata.modified().unwrap_or(now);
            found.push(Entry {
                path: entry.path(),
                size: metadata.len(),
                age: now.duration_since(modified).unwrap_or_default(),
                pinned: digest.is_some_and(|digest| keep.pinned.contains(&digest)),
                digest,
            });
        }
        Ok(found)
    }
}
