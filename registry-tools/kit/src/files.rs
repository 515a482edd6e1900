//! Files of a project, each failure with its path. Called by all modules of this crate.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file or folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} has {size} bytes; at most {max} are read", path.display())]
    TooLarge { path: PathBuf, size: u64, max: u64 },
}

/// Reads a file of at most `max` bytes.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let error = |source| FileError::Read { path: path.into(), source };
    let size = std::fs::metadata(path).map_err(error)?.len();
    if size > max {
        return Err(FileError::TooLarge { path: path.into(), size, max });
    }
    std::fs::read(path).map_err(error)
}

/// Reads a text of at most `max` bytes.
pub fn read_text(path: &Path, max: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, max)?).map_err(|error| FileError::Read {
        path: path.into(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

/// Writes a file and the folders that it is in.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let error = |source| FileError::Write { path: path.into(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(error)?;
    }
    std::fs::write(path, content).map_err(error)
}

/// Puts a whole file in the place of another: who reads it sees the old one or the new one.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let error = |source| FileError::Write { path: path.into(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(error)?;
    let mut file =
        tempfile::Builder::new().prefix(".partial-").tempfile_in(folder).map_err(error)?;
    file.write_all(content).map_err(error)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        /// As a compiler would make it; temporary files are their owner's alone.
        const MODE: u32 = 0o644;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(MODE)).map_err(error)?;
    }
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}
