//! The agent of one machine, as the host sees it.

use std::sync::Arc;

use machine_protocol::Command;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::Connection;
use crate::error::Ended;
use crate::process::Process;
use crate::shared::{Holder, Shared};
use crate::wire;

/// Is given each connection that a program in the machine makes to `XCLAW_SOCKET`. Called by the task that
/// serves the stream, so it must not block: it spawns what serves the connection. A connection that it
/// drops is closed.
pub type OnConnection = Arc<dyn Fn(Connection) + Send + Sync>;

/// The agent of one machine. Cloning shares it. The stream is closed when the last clone and the last
/// [`Process`] are dropped and what they asked for is sent; connections then end, too.
#[derive(Debug, Clone)]
pub struct Client {
    holder: Arc<Holder>,
}

impl Client {
    /// Serves `stream` in one task of the tokio runtime that this is called in.
    pub fn new(
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        on_connection: OnConnection,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        tokio::spawn(wire::serve(stream, Arc::clone(&shared), on_connection));
        Self { holder: Arc::new(Holder::new(shared)) }
    }

    /// Resolves when the agent has said hello. How long that may take is the caller's to decide.
    /// Cancel-safe.
    ///
    /// # Errors
    /// It ended, before or after that.
    pub async fn ready(&self) -> Result<(), Ended> {
        let mut spoken = self.holder.shared.lock().spoken();
        spoken.ready().await;
        match self.holder.shared.lock().ended() {
            Some(ended) => Err(ended),
            None => Ok(()),
        }
    }

    /// Starts a process. Never blocks and never fails: before the hello it waits its turn, and what became
    /// of it is told by the first call on the process.
    pub fn start(&self, command: Command) -> Process {
        Process::start(Arc::clone(&self.holder), command)
    }

    /// Asks for everything to be written to the disks and the machine to be switched off; the end of the
    /// stream follows. Before the hello, it is asked then.
    pub fn power_off(&self) {
        self.holder.shared.change(|state| state.power_off());
    }

    /// Resolves when nothing more can come, with the reason. Cancel-safe.
    pub async fn ended(&self) -> Ended {
        let mut over = self.holder.shared.lock().over();
        over.ready().await;
        self.holder.shared.lock().ended().unwrap_or(Ended::Stopped)
    }
}
