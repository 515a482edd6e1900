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
    size: u64,
    age: Duration,
    pinned: bool,
}

impl Cache {
    /// Removes what `keep` does not keep, and what broken downloads left. Content that another
    /// process reads at the moment stays readable to it.
    pub fn clean(&self, keep: &Keep) -> Result<Cleaned, CacheError> {
        let mut cleaned = Cleaned::default();
        for entry in self.entries("partial", keep)? {
            // Its writer, if it lives, has written to it lately.
            if entry.age > keep.age {
                files::remove(&entry.path)?;
                cleaned.files += 1;
                cleaned.bytes += entry.size;
            }
        }
        let mut entries = self.entries("sha256", keep)?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.age));
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        for entry in entries.iter().filter(|entry| !entry.pinned) {
            if entry.age > keep.age || total > keep.bytes {
                files::remove(&entry.path)?;
                total -= entry.size;
                cleaned.files += 1;
                cleaned.bytes += entry.size;
            }
        }
        for record in self.records()? {
            if !self.has(&record.digest) {
                self.forget(&record.name)?;
            }
        }
        Ok(Cleaned { kept_bytes: total, ..cleaned })
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
            let digest = format!("sha256:{}", entry.file_name().to_string_lossy()).parse();
            let modified = metadata.modified().unwrap_or(now);
            found.push(Entry {
                path: entry.path(),
                size: metadata.len(),
                age: now.duration_since(modified).unwrap_or_default(),
                pinned: digest.is_ok_and(|digest| keep.pinned.contains(&digest)),
            });
        }
        Ok(found)
    }
}
