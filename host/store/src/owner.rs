//! Who reserves: one owner per opened store, alive as long as it holds a file lock.
//!
//! Why: a reservation must not outlive the process that made it, and process ids come back. The
//! operating system gives up a file lock when its process dies, whatever the reason, so a lock
//! that can be taken proves that its owner is gone.
//!
//! Race-free by one rule: owners are born and swept only inside of an immediate transaction of the
//! store, so nobody sees a lock file between its creation and its locking. Ids are never reused.
//!
//! Called by the ledger. The files are empty; deleting the lock file of a live process makes its
//! reservations look abandoned.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::database::{OpenError, create_directory, create_file};

const FOLDER: &str = "owners";
const EXTENSION: &str = "lock";

/// One opening of a store. Opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnerId(String);

impl OwnerId {
    fn mint() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An owner and, for a store on disk, its lock.
pub(crate) struct Owner {
    id: OwnerId,
    lock: Option<Lock>,
}

struct Lock {
    folder: PathBuf,
    /// Held for its lock, which ends with it.
    _file: File,
}

/// Whether an owner may still settle its reservations.
#[derive(Debug)]
pub(crate) enum Life {
    Alive,
    Dead(Remains),
}

/// What a dead owner left: its lock file, if there is one. To be removed after its reservations
/// are settled for good; a file that stays is found again by the next sweep.
#[derive(Debug)]
pub(crate) struct Remains {
    path: PathBuf,
    _file: Option<File>,
}

impl Remains {
    pub(crate) fn remove(self) {
        // Nothing is lost when this fails: a lock file without reservations means nothing.
        let _ = std::fs::remove_file(self.path);
    }
}

impl Owner {
    /// A new owner under a data directory. The caller is in an immediate transaction.
    pub(crate) fn create(directory: &Path) -> Result<Self, OpenError> {
        let folder = directory.join(FOLDER);
        create_directory(&folder)?;
        let id = OwnerId::mint();
        let path = lock_path(&folder, id.as_str());
        let file = create_file(&path)?;
        file.lock().map_err(|source| OpenError::File { path, source })?;
        Ok(Self { id, lock: Some(Lock { folder, _file: file }) })
    }

    /// The owner of a store that no other process can see.
    pub(crate) fn without_lock() -> Self {
        Self { id: OwnerId::mint(), lock: None }
    }

    pub(crate) fn id(&self) -> &OwnerId {
        &self.id
    }

    /// Looks whether another owner lives. The caller is in an immediate transaction.
    pub(crate) fn life_of(&self, id: &str) -> Life {
        let Some(lock) = &self.lock else { return Life::Alive };
        if id == self.id.as_str() {
            return Life::Alive;
        }
        let path = lock_path(&lock.folder, id);
        match File::open(&path) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Life::Dead(Remains { path, _file: Some(file) }),
                // A lock that cannot be tried is taken for held: what is reserved then stays
                // reserved, which is the safe side.
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => Life::Alive,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Life::Dead(Remains { path, _file: None })
            }
            Err(_) => Life::Alive,
        }
    }

    /// The dead among all owners that have a lock file. The caller is in an immediate transaction.
    pub(crate) fn dead(&self) -> Vec<Remains> {
        let Some(lock) = &self.lock else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(&lock.folder) else { return Vec::new() };
        entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let id = path.file_stem()?.to_str()?;
                if path.extension()?.to_str()? != EXTENSION {
                    return None;
                }
                match self.life_of(id) {
                    Life::Dead(remains) => Some(remains),
                    Life::Alive => None,
                }
            })
            .collect()
    }
}

fn lock_path(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.{EXTENSION}"))
}
