//! The few things that are done to files here, each error with its path.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::Step;
use crate::error::CacheError;

/// A file's bytes; `None`: there is none.
pub(crate) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, CacheError> {
    let failed = |source| CacheError::file(path, source);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    if length > max {
        return Err(CacheError::TooLarge { path: path.into(), max });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// A file's time is when it was last used, to within this: not every use has to write.
const USED_WITHIN: Duration = Duration::from_secs(3600);

/// Notes that a file was used, for those who make room. What cannot be noted is not: a folder may be
/// there for reading only.
pub(crate) fn mark_used(path: &Path) {
    let now = SystemTime::now();
    let modified = std::fs::metadata(path).and_then(|file| file.modified());
    if modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > USED_WITHIN))
        && let Ok(file) = File::options().write(true).open(path)
    {
        let _ = file.set_modified(now);
    }
}

pub(crate) fn remove(path: &Path) -> Result<(), CacheError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(CacheError::file(path, error)),
        _ => Ok(()),
    }
}

pub(crate) fn make_folder(path: &Path) -> Result<(), CacheError> {
    std::fs::create_dir_all(path).map_err(|e| CacheError::file(path, e))
}

pub(crate) fn step(step: &Option<Step>, path: &Path, what: &'static str) -> Result<(), CacheError> {
    match step {
        Some(step) => step(what).map_err(|e| CacheError::file(path, e)),
        None => Ok(()),
    }
}

/// Puts `bytes` at `path`, whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8], steps: &Option<Step>) -> Result<(), CacheError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Two processes write the same record at once: each has a file of its own.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let failed = |source| CacheError::file(&beside, source);
    let written = (|| {
        step(steps, &beside, "record: create")?;
        let mut file = File::create(&beside).map_err(failed)?;
        step(steps, &beside, "record: write")?;
        file.write_all(bytes).map_err(failed)?;
        step(steps, &beside, "record: sync")?;
        file.sync_all().map_err(failed)?;
        step(steps, path, "record: rename")?;
        std::fs::rename(&beside, path).map_err(|e| CacheError::file(path, e))?;
        sync_folder(folder)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> Result<(), CacheError> {
    let opened = File::open(folder).and_then(|folder| folder.sync_all());
    opened.map_err(|source| CacheError::file(folder, source))
}

/// Folders cannot be synced there; the file system's journal keeps names.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> Result<(), CacheError> {
    Ok(())
}
