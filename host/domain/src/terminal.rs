//! The terminal of an agent's machine, for those who look on from outside of the session. Implemented
//! by the machine; used by the control socket.

use async_trait::async_trait;

/// Character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// Why there is no terminal; for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoTerminal(pub String);

/// Where terminals come from: a session.
#[async_trait]
pub trait Terminals: Send + Sync {
    /// Whether the session has a machine, started or not.
    fn are_there(&self) -> bool;

    /// One more client of the session's terminal, of this size. Starts the machine if it does not run
    /// yet, which takes seconds.
    async fn attach(&self, size: Size) -> Result<Box<dyn Terminal>, NoTerminal>;
}

/// One client. Dropping it detaches.
#[async_trait]
pub trait Terminal: Send + Sync {
    /// What comes next, the scrollback first; empty: the terminal is gone. One reader at a time.
    /// Cancel-safe.
    async fn read(&self) -> Vec<u8>;

    /// What is typed; waits while it is not taken. What a terminal that is gone gets is lost.
    async fn write(&self, data: &[u8]);

    async fn resize(&self, size: Size);
}

/// A session without a machine.
#[derive(Debug, Clone, Copy)]
pub struct NoMachine;

#[async_trait]
impl Terminals for NoMachine {
    fn are_there(&self) -> bool {
        false
    }

    async fn attach(&self, _: Size) -> Result<Box<dyn Terminal>, NoTerminal> {
        Err(NoTerminal("the session has no machine".to_owned()))
    }
}
