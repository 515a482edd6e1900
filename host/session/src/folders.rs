//! The folders and the lock of a session.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::config::SessionConfig;
use crate::error::OpenError;

/// Takes the session for this process; the operating system gives it back when the process ends,
/// however it ends.
pub(crate) fn lock(config: &SessionConfig) -> Result<File, OpenError> {
    let path = config.state.with_extension("lock");
    let error =
        |source| OpenError::Directory { what: "the session's lock", path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(config.session.clone())),
        Err(TryLockError::Error(source)) => Err(error(source)),
    }
}

pub(crate) fn is_directory(what: &'static str, path: &Path) -> Result<(), OpenError> {
    let error = |source| OpenError::Directory { what, path: path.into(), source };
    if std::fs::metadata(path).map_err(error)?.is_dir() {
        return Ok(());
    }
    Err(error(std::io::ErrorKind::NotADirectory.into()))
}

pub(crate) fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| OpenError::Directory {
        what: "the session's state",
        path: path.into(),
        source,
    })
}
