//! A folder for any number of guests.
//!
//! Made by whoever runs machines, once for each folder: guests of one [`Export`] see each other's locks.

use crate::OpenError;
use crate::folder::Folder;
use crate::guard::Guard;
use crate::locks::Locks;
use crate::server::Server;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A folder that is served.
#[derive(Clone, Debug)]
pub struct Export {
    folder: Arc<Folder>,
    locks: Arc<Mutex<Locks>>,
    guard: Option<Arc<dyn Guard>>,
}

impl Export {
    /// Opens a folder. From then on it is that folder, whatever becomes of its name.
    ///
    /// # Errors
    /// It cannot be opened, or this system cannot keep a guest inside of it.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Ok(Self { folder: Arc::new(Folder::open(folder)?), locks: Arc::default(), guard: None })
    }

    /// The same under rules, which bind every guest of this value.
    ///
    /// # Errors
    /// As of [`Export::open`].
    pub fn open_guarded(folder: &Path, guard: Arc<dyn Guard>) -> Result<Self, OpenError> {
        Ok(Self { guard: Some(guard), ..Self::open(folder)? })
    }

    /// A connection for one guest.
    pub fn server(&self) -> Server {
        Server::connect(self.folder.clone(), self.locks.clone(), self.guard.clone())
    }
}
