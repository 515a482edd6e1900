//! The directory of the sockets: private, and looked at with distrust.
//!
//! A socket appears under its final name only when it listens, so one that refuses a connection
//! belongs to a dead process and may be removed. Anything else in the directory is left alone.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// What a socket's name ends with.
const EXTENSION: &str = "sock";
/// Sockets that are looked at: far more than one user runs agents.
const SOCKETS_MAX: usize = 1_024;
/// The shortest `sun_path` of the systems that have one, its end included.
const ADDRESS_MAX_BYTES: usize = 104;

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no directory; remove it", .0.display())]
    NotADirectory(PathBuf),
    #[error("{} belongs to another user; remove it", .0.display())]
    Foreign(PathBuf),
    #[error("{} is open to other users; make it private with `chmod 700`", .0.display())]
    Open(PathBuf),
}

/// The directory, checked and held open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    file: File,
}

impl Folder {
    /// Makes it where it is missing.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                Err(FolderError::Io { path: path.into(), source })
            }
            _ => Self::check(path),
        }
    }

    /// `None`: there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, FolderError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Self::check(path).map(Some),
        }
    }

    fn check(path: &Path) -> Result<Self, FolderError> {
        let error = |source| FolderError::Io { path: path.into(), source };
        let named = fs::symlink_metadata(path).map_err(error)?;
        if !named.is_dir() {
            return Err(FolderError::NotADirectory(path.into()));
        }
        let file = File::open(path).map_err(error)?;
        let opened = file.metadata().map_err(error)?;
        let same = (named.dev(), named.ino()) == (opened.dev(), opened.ino());
        if !same || opened.uid() != geteuid().as_raw() {
            return Err(FolderError::Foreign(path.into()));
        }
        if opened.mode() & 0o077 != 0 {
            return Err(FolderError::Open(path.into()));
        }
        Ok(Self { path: path.into(), file })
    }

    /// Where a socket lies, for people and for removing it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What to bind or to connect to: a path that fits into an address. A long one goes by way of
    /// the open directory, where the system has such a way.
    pub fn address(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        if path.as_os_str().len() < ADDRESS_MAX_BYTES {
            return Ok(path);
        }
        let short = PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        if short.exists() {
            return Ok(short.join(name));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!(
                "{} is longer than the {} bytes of a socket's address; use a shorter `--data-dir`",
                path.display(),
                ADDRESS_MAX_BYTES - 1
            ),
        ))
    }

    /// The names of the sockets, in order.
    pub fn sockets(&self) -> Result<Vec<String>, FolderError> {
        let error = |source| FolderError::Io { path: self.path.clone(), source };
        let entries = fs::read_dir(&self.path).map_err(error)?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let ours = Path::new(&name).extension()?.to_str()? == EXTENSION;
                (ours && is_socket(&fs::symlink_metadata(entry.path()).ok()?)).then_some(name)
            })
            .take(SOCKETS_MAX)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Removes what a dead process left.
    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| is_socket(&metadata)) {
            // Somebody else may have been faster.
            let _ = fs::remove_file(path);
        }
    }
}

/// The name of a new socket, and the one that it has until it listens.
pub(crate) fn names(pid: u32, start_ms: u64) -> (String, String) {
    (format!("{pid}-{start_ms}.{EXTENSION}"), format!(".{pid}-{start_ms}.new"))
}

fn is_socket(metadata: &Metadata) -> bool {
    metadata.file_type().is_socket() && metadata.uid() == geteuid().as_raw()
}
