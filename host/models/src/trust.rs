//! Digests that were once taken from a server: trust on first use.
//!
//! The first time, the user says that the server is to be believed. From then on the address has
//! that digest: a later download needs no word of the server, and another file under the same
//! address is refused. Kept also when the model is removed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::download::lock;
use crate::shelf::ShelfError;

/// Nobody pulls from so many addresses; a larger file is not ours.
const MAX_BYTES: u64 = 1 << 20;
const FILE: &str = "trusted.json";

pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The digest that an address had.
///
/// # Errors
/// When the record cannot be read: to forget it would be to trust anew.
pub(crate) fn known(folder: &Path, url: &str) -> Result<Option<Digest>, ShelfError> {
    Ok(read(&file(folder))?.get(url).copied())
}

/// Records the digest of an address.
pub(crate) fn record(folder: &Path, url: &str, digest: Digest) -> Result<(), ShelfError> {
    let path = file(folder);
    let _lock = lock(&path).map_err(ShelfError::Lock)?;
    let mut all = read(&path)?;
    all.insert(url.to_owned(), digest);
    let failed = |source: io::Error| ShelfError::File { path: path.clone(), source };
    let text = serde_json::to_vec_pretty(&all).map_err(|e| failed(e.into()))?;
    replace(&path, &text).map_err(failed)
}

fn read(path: &Path) -> Result<BTreeMap<String, Digest>, ShelfError> {
    let failed = |source| ShelfError::File { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(found) if found.len() > MAX_BYTES => Err(ShelfError::Damaged { path: path.to_owned() }),
        Ok(_) => serde_json::from_slice(&std::fs::read(path).map_err(failed)?)
            .map_err(|_| ShelfError::Damaged { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Writes a small file so that a reader sees the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}
