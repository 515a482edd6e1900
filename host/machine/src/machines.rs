//! What all machines of a process share: the threads they run on, and the image they start from.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use computer::{Computers, Options, StartError};
use tokio::sync::OnceCell;

use crate::image::{Folder, Image, ImageError};

/// Machines cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MachinesError {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Computers(#[from] StartError),
    #[error("the work on the machine's image was lost")]
    Lost(#[source] io::Error),
}

/// See the module. Nothing is read or started before the first machine.
pub struct Machines {
    folder: Folder,
    compiled: PathBuf,
    ready: OnceCell<Ready>,
}

/// Threads and image.
#[derive(Clone)]
pub(crate) struct Ready {
    pub computers: Arc<Computers>,
    pub image: Image,
}

impl Machines {
    /// `compiled` is where compiled code is kept between processes.
    pub fn new(folder: Folder, compiled: PathBuf) -> Arc<Self> {
        Arc::new(Self { folder, compiled, ready: OnceCell::new() })
    }

    /// What a machine needs to start. A failure is not remembered: who repairs the image need not start
    /// this process again.
    pub(crate) async fn ready(&self) -> Result<Ready, MachinesError> {
        let ready = self.ready.get_or_try_init(|| async {
            let folder = self.folder.clone();
            let options = Options {
                module: folder.computer(),
                compiled: self.compiled.clone(),
                threads: None,
            };
            let work = move || {
                let computers = Computers::start(&options, || {
                    tracing::info!("compiling the machine's computer, once");
                })?;
                Ok(Ready { computers, image: folder.open()? })
            };
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|error| MachinesError::Lost(io::Error::other(error)))?
        });
        ready.await.cloned()
    }
}

impl std::fmt::Debug for Machines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machines").field("folder", &self.folder).finish_non_exhaustive()
    }
}
