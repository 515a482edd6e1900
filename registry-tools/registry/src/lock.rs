//! `xpressclaw.lock`: names of harnesses, each pinned to a digest. Written by `harness add`, read
//! whenever a harness is named; meant to be checked in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artifact::Reference;
use serde::{Deserialize, Serialize};

pub const LOCK_FILE: &str = "xpressclaw.lock";
const VERSION: u32 = 1;
/// Some thousands of names.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// The names of one lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// Each with a digest.
    pub harnesses: BTreeMap<String, Reference>,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}; correct it, or remove it and add the harnesses again")]
    Malformed { path: PathBuf, reason: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    harnesses: BTreeMap<String, String>,
}

impl Lock {
    /// Reads a lock file; one that is missing is empty.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::File { path: path.into(), source };
        let malformed = |reason: String| LockError::Malformed { path: path.into(), reason };
        let size = match std::fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error)),
        };
        if size > FILE_MAX_BYTES {
            return Err(malformed(format!("it has more than {FILE_MAX_BYTES} bytes")));
        }
        let text = std::fs::read(path).map_err(failed)?;
        let document: Document =
            serde_json::from_slice(&text).map_err(|e| malformed(e.to_string()))?;
        if document.version != VERSION {
            return Err(malformed(format!("version {} is not known", document.version)));
        }
        let mut harnesses = BTreeMap::new();
        for (name, text) in document.harnesses {
            // A namespace would make the meaning depend on another file.
            let reference = Reference::parse(&text, "").map_err(|e| malformed(e.to_string()))?;
            if reference.digest.is_none() {
                return Err(malformed(format!("`{name}` has no digest")));
            }
            harnesses.insert(name, reference);
        }
        Ok(Self { harnesses })
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let failed = |source| LockError::File { path: path.into(), source };
        let harnesses = self.harnesses.iter().map(|(name, r)| (name.clone(), r.to_string()));
        let document = Document { version: VERSION, harnesses: harnesses.collect() };
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let beside = path.with_extension(format!("lock.{}", std::process::id()));
        let written = std::fs::write(&beside, text)
            .and_then(|()| std::fs::File::open(&beside)?.sync_all())
            .and_then(|()| std::fs::rename(&beside, path));
        written.map_err(|source| {
            let _ = std::fs::remove_file(&beside);
            failed(source)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        let digest = artifact::Digest::of(b"x");
        let reference = Reference::parse(&format!("ghcr.io/a/b:1@{digest}"), "").unwrap();
        let lock = Lock { harnesses: [("b".to_owned(), reference)].into() };
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), lock);
        for (text, expected) in [
            ("", "EOF"),
            (r#"{"version":2,"harnesses":{}}"#, "version 2"),
            (r#"{"version":1,"harnesses":{"a":"ghcr.io/a/b:1"}}"#, "no digest"),
            (r#"{"version":1,"harnesses":{"a":"pi"}}"#, "no registry"),
            (r#"{"version":1,"harnesses":{},"x":1}"#, "unknown field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Lock::read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
