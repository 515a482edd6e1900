//! Read-only disks: files that many computers read at once.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Read buffer for the digest: large enough that system calls do not show.
const BUFFER: usize = 256 << 10;

/// The disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not what it should be: its SHA-256 is {found}, not {expected}", path.display())]
    Digest { path: PathBuf, expected: String, found: String },
}

/// A disk. Computers share it; each read goes to the file, of which the system keeps what is used.
#[derive(Debug)]
pub struct Disk {
    file: File,
    bytes: u64,
}

impl Disk {
    /// Opens a file and reads it once, to see that it has this SHA-256 (64 hexadecimal digits). Blocks
    /// for as long as that takes. The file must not change while a computer has it.
    ///
    /// # Errors
    /// The file cannot be read, or has another content.
    pub fn open(path: &Path, sha256: &str) -> Result<Arc<Self>, DiskError> {
        let read = |source| DiskError::Read { path: path.into(), source };
        let mut file = File::open(path).map_err(read)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            let size = file.read(&mut buffer).map_err(read)?;
            if size == 0 {
                break;
            }
            hasher.update(&buffer[..size]);
            bytes += size as u64;
        }
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if !found.eq_ignore_ascii_case(sha256) {
            let expected = sha256.to_owned();
            return Err(DiskError::Digest { path: path.into(), expected, found });
        }
        Ok(Arc::new(Self { file, bytes }))
    }

    /// Bytes of the disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `into` from a byte offset.
    pub(crate) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_exact_at(&self.file, into, offset);
        #[cfg(windows)]
        return read_exact_at(&self.file, into, offset);
    }
}

/// Windows may read less than asked for.
#[cfg(windows)]
fn read_exact_at(file: &File, mut into: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !into.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, into, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            size => {
                into = &mut into[size..];
                offset += size as u64;
            }
        }
    }
    Ok(())
}
