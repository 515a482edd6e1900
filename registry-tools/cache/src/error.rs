//! Why the cache could not do what it was asked.

use std::io;
use std::path::{Path, PathBuf};

use artifact::Digest;

#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("the disk is full at {path}; make room, `xpressclaw harness gc` helps, and try again")]
    DiskFull { path: PathBuf },
    #[error("what arrived has the digest {found} and not {expected}; nothing of it was kept")]
    WrongDigest { expected: Digest, found: Digest },
    #[error(
        "what arrived of {digest} has {found} bytes and not {expected}; nothing of it was kept"
    )]
    WrongSize { digest: Digest, expected: u64, found: u64 },
    #[error("{path} has more than {max} bytes; remove it")]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{path}")]
    File { path: PathBuf, source: io::Error },
}

impl CacheError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.into() }
            }
            _ => Self::File { path: path.into(), source },
        }
    }
}
