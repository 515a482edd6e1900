//! The machine's terminal for users who look on: the control socket's side of it.

use async_trait::async_trait;
use domain::terminal::{NoTerminal, Size, Terminal, Terminals};
use machine_protocol as protocol;
use tokio::sync::OwnedSemaphorePermit;

use crate::attached::Attached;
use crate::error::with_causes;
use crate::machine::{Machine, WATCHERS_MAX};

/// Bytes of one `read`: a screen is far smaller, and what flows faster comes in several.
const READ_MAX_BYTES: usize = 64 << 10;

/// Terminals of a session's machine.
pub struct Watch(Machine);

struct Watcher {
    attached: Attached,
    _slot: OwnedSemaphorePermit,
}

impl Watch {
    pub fn new(machine: Machine) -> Self {
        Self(machine)
    }
}

#[async_trait]
impl Terminals for Watch {
    async fn attach(&self, size: Size) -> Result<Box<dyn Terminal>, NoTerminal> {
        let slot = self.0.watchers().try_acquire_owned().map_err(|_| {
            NoTerminal(format!("{WATCHERS_MAX} terminals are attached; close one first"))
        })?;
        let attached = Attached::new(&self.0, protocol_size(size)).await;
        let attached = attached.map_err(|failure| NoTerminal(with_causes(&failure)))?;
        Ok(Box::new(Watcher { attached, _slot: slot }))
    }
}

#[async_trait]
impl Terminal for Watcher {
    async fn read(&self) -> Vec<u8> {
        // Every failure is an end: there is nothing that a user who watches could do about it here.
        self.attached.read(READ_MAX_BYTES).await.unwrap_or_default()
    }

    async fn write(&self, data: &[u8]) {
        let _ = self.attached.write(data).await;
    }

    async fn resize(&self, size: Size) {
        let _ = self.attached.process.resize(protocol_size(size));
    }
}

/// A window without room is one cell large: it will grow again.
fn protocol_size(size: Size) -> protocol::Size {
    protocol::Size { columns: size.columns.max(1), rows: size.rows.max(1) }
}
