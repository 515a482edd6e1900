//! Which digest a name had when a registry was last asked for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::error::CacheError;
use crate::{Cache, files};

/// A reference, a digest and a few members of JSON.
const RECORD_MAX_BYTES: u64 = 4096;

/// What was found under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The name, like `ghcr.io/acme/tool:1.0`.
    pub name: String,
    pub digest: Digest,
    /// When it was asked for, in seconds since 1970.
    pub at: u64,
}

impl Cache {
    /// What was last found under `name`; a record that cannot be read is none.
    pub fn record(&self, name: &str) -> Result<Option<Record>, CacheError> {
        let Some(bytes) = files::read(&self.record_path(name), RECORD_MAX_BYTES)? else {
            return Ok(None);
        };
        let record = serde_json::from_slice::<Record>(&bytes).ok();
        Ok(record.filter(|record| record.name == name))
    }

    /// Records that `name` is `digest` now.
    pub fn keep_record(&self, name: &str, digest: Digest) -> Result<(), CacheError> {
        let record = Record { name: name.into(), digest, at: seconds(SystemTime::now()) };
        let text = serde_json::to_vec(&record).unwrap_or_default();
        files::replace(&self.record_path(name), &text, &self.step)
    }

    /// All of them, by name.
    pub fn records(&self) -> Result<Vec<Record>, CacheError> {
        let folder = self.folder.join("names");
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == "json")
                && let Some(bytes) = files::read(&path, RECORD_MAX_BYTES)?
                && let Ok(record) = serde_json::from_slice::<Record>(&bytes)
            {
                found.push(record);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Forgets a name. `false`: it was not known.
    pub fn forget(&self, name: &str) -> Result<bool, CacheError> {
        let path = self.record_path(name);
        let known = path.exists();
        files::remove(&path)?;
        Ok(known)
    }

    /// A name may hold anything; a file's may not.
    fn record_path(&self, name: &str) -> std::path::PathBuf {
        self.folder.join("names").join(format!("{}.json", Digest::of(name.as_bytes()).hex()))
    }
}

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
