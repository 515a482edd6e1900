//! Why a download did not happen. Every text says what the user can do; none holds a query of an
//! address, which may be a signature, or what a server sent as a page.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::route::RouteError;

#[derive(Debug, thiserror::Error)]
pub enum PullError {
    #[error("the address cannot be asked")]
    Route(#[from] RouteError),
    #[error("TLS cannot be set up: {reason}")]
    Tls { reason: String },
    #[error("the proxy cannot be used")]
    Proxy,
    #[error("{path} is being downloaded by another process; wait for it")]
    Busy { path: PathBuf },
    #[error(
        "{path} is there and has another SHA-256, {found} instead of {expected}; remove it first"
    )]
    Occupied { path: PathBuf, expected: Digest, found: Digest },
    #[error("{address} has no such file (404)")]
    NotFound { address: String },
    #[error("{address} refuses it ({status}): the file may ask for an account or a licence")]
    Refused { address: String, status: u16 },
    #[error("{address} answered with {status}")]
    Status { address: String, status: u16 },
    #[error("{address} leads through more than {max} redirects")]
    Redirects { address: String, max: usize },
    #[error("{address} redirects to nowhere")]
    NoLocation { address: String },
    #[error(
        "{address} names no SHA-256 of the file; find out the right one and give it with --sha256"
    )]
    NoDigest { address: String },
    #[error("{address} sends a file that is not a GGUF model")]
    NotGguf { address: String },
    #[error("the file has {found} bytes where {expected} were expected")]
    Size { expected: u64, found: u64 },
    #[error("the file is larger than {max} bytes, the most that is downloaded")]
    TooLarge { max: u64 },
    #[error("{needed} bytes are needed in {folder} and {free} are free")]
    NoSpace { folder: PathBuf, needed: u64, free: u64 },
    #[error("the disk is full; what arrived is kept at {path}, and a further pull continues it")]
    DiskFull { path: PathBuf },
    #[error(
        "the file has the SHA-256 {found} and not {expected}; it is not the file that was meant, and \
         it was deleted"
    )]
    WrongDigest { expected: Digest, found: Digest },
    #[error(
        "the download broke off {attempts} times in a row without another byte: {reason}; what \
         arrived is kept, and a further pull continues it"
    )]
    GivenUp { attempts: usize, reason: String },
    #[error("{path}")]
    File { path: PathBuf, source: io::Error },
}

impl PullError {
    /// An error of the file system, with its path.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned() }
            }
            _ => Self::File { path: path.to_owned(), source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let error = |kind| PullError::file(Path::new("/x"), io::Error::from(kind));
        for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(matches!(error(full), PullError::DiskFull { .. }), "{full:?}");
        }
        assert!(matches!(error(io::ErrorKind::PermissionDenied), PullError::File { .. }));
    }
}
