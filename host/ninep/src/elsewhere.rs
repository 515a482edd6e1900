//! The crate where there is no Linux: it compiles, and serves nothing.
//!
//! Used by whoever would serve a folder there, to hear why not. It must never serve one with less care.

use crate::{Guard, OpenError};
use std::path::Path;
use std::sync::Arc;

/// A folder that cannot be served here; there is no value of this type.
#[derive(Clone, Debug)]
pub enum Export {}

/// One guest's connection; there is no value of this type.
#[derive(Debug)]
pub enum Server {}

impl Export {
    /// Refuses.
    ///
    /// # Errors
    /// Always [`OpenError::System`].
    pub fn open(_: &Path) -> Result<Self, OpenError> {
        Err(OpenError::System)
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always [`OpenError::System`].
    pub fn open_guarded(_: &Path, _: Arc<dyn Guard>) -> Result<Self, OpenError> {
        Err(OpenError::System)
    }

    /// A connection.
    pub fn server(&self) -> Server {
        match *self {}
    }
}

impl Server {
    /// Refuses.
    ///
    /// # Errors
    /// Always [`OpenError::System`].
    pub fn new(_: &Path) -> Result<Self, OpenError> {
        Err(OpenError::System)
    }

    /// Answers one message.
    pub fn handle(&mut self, _: &[u8], _: &mut Vec<u8>) {
        match *self {}
    }
}
