//! The control socket of a run. Failing to open it is no reason not to run.

use std::path::Path;

use control::Board;

use crate::render::Printer;

/// The socket, where there is one.
pub struct ControlSocket {
    #[cfg(unix)]
    server: Option<control::Server>,
}

impl ControlSocket {
    /// Opens it, or says why the run cannot be attached to.
    #[cfg(unix)]
    pub fn open(folder: &Path, board: Board, printer: &Printer) -> Self {
        match control::Server::start(folder, board, env!("CARGO_PKG_VERSION")) {
            Ok(server) => Self { server: Some(server) },
            Err(error) => {
                let error = anyhow::Error::new(error);
                printer.note(&format!("this run cannot be attached to: {error:#}"));
                Self { server: None }
            }
        }
    }

    /// Without Unix sockets there is none.
    #[cfg(not(unix))]
    pub fn open(_: &Path, _: Board, _: &Printer) -> Self {
        Self {}
    }

    /// Closes it when those who watch have seen the end.
    pub async fn close(self) {
        #[cfg(unix)]
        if let Some(server) = self.server {
            server.close().await;
        }
    }

    /// Removes it at once: the process ends.
    pub fn remove(&mut self) {
        #[cfg(unix)]
        drop(self.server.take());
    }
}
