//! The folder that downloaded models are in: their places, the default, removal.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::digest::Digest;
use crate::download::lock;
use crate::error::PullError;
use crate::name::ModelName;
use crate::{partial, trust};

const DEFAULT_FILE: &str = "default.json";

#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("there is no model {name} in {folder}")]
    Missing { name: ModelName, folder: PathBuf },
    #[error("{path} is in use by another process")]
    InUse { path: PathBuf },
    #[error("it is busy")]
    Lock(#[source] PullError),
    #[error("{path} is damaged; correct it or delete it")]
    Damaged { path: PathBuf },
    #[error("{path}")]
    File { path: PathBuf, source: io::Error },
}

/// What `default.json` holds.
#[derive(Serialize, Deserialize)]
struct DefaultNote {
    /// A file name in this folder, or a whole path elsewhere.
    model: PathBuf,
}

impl Shelf {
    /// Makes nothing.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a model is, or will be.
    pub fn place(&self, name: &ModelName) -> PathBuf {
        self.folder.join(name.file())
    }

    /// The digest that was once taken from the server of an address.
    pub fn trusted(&self, url: &Url) -> Result<Option<Digest>, ShelfError> {
        trust::known(&self.folder, url.as_str())
    }

    /// From now on this address has this digest.
    pub fn trust(&self, url: &Url, digest: Digest) -> Result<(), ShelfError> {
        trust::record(&self.folder, url.as_str(), digest)
    }

    /// The recorded default, whether or not it is still there.
    pub fn default(&self) -> Result<Option<PathBuf>, ShelfError> {
        let path = self.folder.join(DEFAULT_FILE);
        match std::fs::read(&path) {
            Ok(text) => match serde_json::from_slice::<DefaultNote>(&text) {
                Ok(note) => Ok(Some(self.folder.join(note.model))),
                Err(_) => Err(ShelfError::Damaged { path }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ShelfError::File { path, source }),
        }
    }

    /// Records a file as the default. One of this folder moves with it.
    pub fn set_default(&self, model: &Path) -> Result<(), ShelfError> {
        let path = self.folder.join(DEFAULT_FILE);
        let failed = |source: io::Error| ShelfError::File { path: path.clone(), source };
        let model = model.strip_prefix(&self.folder).unwrap_or(model).to_owned();
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let text = serde_json::to_vec(&DefaultNote { model }).map_err(|e| failed(e.into()))?;
        trust::replace(&path, &text).map_err(failed)
    }

    /// Forgets the default.
    pub fn clear_default(&self) -> Result<(), ShelfError> {
        let path = self.folder.join(DEFAULT_FILE);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ShelfError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    /// Deletes a model and what a download of it left. Returns its path.
    ///
    /// # Errors
    /// When it is not there, is being downloaded, or is open: whoever runs a model holds a shared
    /// lock on its file.
    pub fn remove(&self, name: &ModelName) -> Result<PathBuf, ShelfError> {
        let place = self.place(name);
        let missing = || ShelfError::Missing { name: name.clone(), folder: self.folder.clone() };
        let failed = |source| ShelfError::File { path: place.clone(), source };
        if !self.folder.is_dir() {
            return Err(missing());
        }
        let _lock = lock(&place).map_err(ShelfError::Lock)?;
        let file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                partial::discard(&place);
                return Err(missing());
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ShelfError::InUse { path: place }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        std::fs::remove_file(&place).map_err(failed)?;
        partial::discard(&place);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ModelName {
        ModelName::new(text).unwrap()
    }

    #[test]
    fn the_default_is_what_was_recorded_last() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(home.path().join("models"));
        assert_eq!(shelf.default().unwrap(), None);
        shelf.set_default(Path::new("/elsewhere/x.gguf")).unwrap();
        assert_eq!(shelf.default().unwrap(), Some(PathBuf::from("/elsewhere/x.gguf")));
        shelf.set_default(&shelf.place(&name("a"))).unwrap();
        let moved = home.path().join("moved");
        std::fs::rename(shelf.folder(), &moved).unwrap();
        assert_eq!(Shelf::new(moved.clone()).default().unwrap(), Some(moved.join("a.gguf")));
        std::fs::write(moved.join(DEFAULT_FILE), "{").unwrap();
        let damaged = Shelf::new(moved.clone()).default();
        assert!(matches!(damaged, Err(ShelfError::Damaged { .. })));
        Shelf::new(moved.clone()).clear_default().unwrap();
        assert_eq!(Shelf::new(moved).default().unwrap(), None);
    }

    #[test]
    fn a_model_in_use_stays() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(home.path().to_owned());
        let place = shelf.place(&name("a"));
        assert!(matches!(shelf.remove(&name("a")), Err(ShelfError::Missing { .. })));
        std::fs::write(&place, "GGUF").unwrap();
        let user = File::open(&place).unwrap();
        user.lock_shared().unwrap();
        assert!(matches!(shelf.remove(&name("a")), Err(ShelfError::InUse { .. })));
        assert!(place.exists());
        drop(user);
        let writer = lock(&place).unwrap();
        assert!(matches!(shelf.remove(&name("a")), Err(ShelfError::Lock(_))));
        drop(writer);
        assert_eq!(shelf.remove(&name("a")).unwrap(), place);
        assert!(!place.exists());
    }

    #[test]
    fn trust_is_kept_and_never_guessed() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(home.path().to_owned());
        let url = |text: &str| Url::parse(text).unwrap();
        let digest = Digest::of([7; 32]);
        assert_eq!(shelf.trusted(&url("https://a/x.gguf")).unwrap(), None);
        shelf.trust(&url("https://a/x.gguf"), digest).unwrap();
        shelf.trust(&url("https://b/y.gguf"), Digest::of([8; 32])).unwrap();
        assert_eq!(shelf.trusted(&url("https://a/x.gguf")).unwrap(), Some(digest));
        assert_eq!(shelf.trusted(&url("https://a/x.gguf?v=2")).unwrap(), None);
        std::fs::write(trust::file(home.path()), "nonsense").unwrap();
        assert!(matches!(shelf.trusted(&url("https://a/x.gguf")), Err(ShelfError::Damaged { .. })));
    }
}
