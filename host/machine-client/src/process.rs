//! A process in the machine, as its owner holds it.

use std::sync::Arc;

use domain::wait::Waitable;
use machine_protocol::{Command, Exit, Signal, Size};

use crate::error::ProcessError;
use crate::shared::Holder;
use crate::state::{self, Chunk, Waitables};

/// A process. Every call may be made from several tasks, and is cancel-safe: one that did not return has
/// done nothing. Dropping it kills the whole tree.
#[derive(Debug)]
pub struct Process {
    holder: Arc<Holder>,
    id: u32,
    waitables: Waitables,
}

impl Process {
    pub(crate) fn start(holder: Arc<Holder>, command: Command) -> Self {
        let (id, waitables) = holder.shared.change(|state| state.start(command));
        Self { holder, id, waitables }
    }

    /// Resolves when it was started.
    ///
    /// # Errors
    /// It was not, or nobody will ever know. Not that it ended since.
    pub async fn started(&self) -> Result<(), ProcessError> {
        self.wait(&self.waitables.decided, state::Process::started).await
    }

    /// Output since the last call, in the order in which it came, at most `max_bytes` (at least one);
    /// waits until there is some. Neighbours of one stream are one chunk. Nothing means end of output.
    ///
    /// # Errors
    /// Nothing more comes although it did not end. What came before was returned before.
    pub async fn read(&self, max_bytes: usize) -> Result<Vec<Chunk>, ProcessError> {
        self.wait(&self.waitables.readable, |process| process.read(max_bytes)).await
    }

    /// Ready when [`Process::read`] would not wait.
    pub fn readable(&self) -> Waitable {
        self.waitables.readable.clone()
    }

    /// Gives to its stdin what fits and returns how many bytes that was; waits only while nothing fits.
    ///
    /// # Errors
    /// Nobody will read it.
    pub async fn write(&self, data: &[u8]) -> Result<usize, ProcessError> {
        self.wait(&self.waitables.writable, |process| process.write(data)).await
    }

    /// Ready when [`Process::write`] would not wait.
    pub fn writable(&self) -> Waitable {
        self.waitables.writable.clone()
    }

    /// Ends its stdin after what was written; on a terminal, types the character that means it.
    /// Idempotent.
    ///
    /// # Errors
    /// It was not started, or is gone.
    pub fn close_stdin(&self) -> Result<(), ProcessError> {
        self.change(state::Process::close_input)
    }

    /// Sends a signal to the whole tree. Like Linux, remembers each signal once until it is delivered.
    ///
    /// # Errors
    /// It was not started, or is gone; not that it ended.
    pub fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        self.change(|process| process.signal(signal))
    }

    /// Changes its terminal's size; the last of several counts.
    ///
    /// # Errors
    /// It has none, was not started, or is gone; not that it ended.
    pub fn resize(&self, size: Size) -> Result<(), ProcessError> {
        self.change(|process| process.resize(size))
    }

    /// Resolves when the command itself ended; the same again when called again. Output of its children
    /// may follow.
    ///
    /// # Errors
    /// It was not started, or nobody will ever know how it ended.
    pub async fn exit(&self) -> Result<Exit, ProcessError> {
        self.wait(&self.waitables.exited, state::Process::exit).await
    }

    /// Ready when [`Process::exit`] would not wait.
    pub fn exited(&self) -> Waitable {
        self.waitables.exited.clone()
    }

    fn change<T>(
        &self,
        call: impl FnOnce(&mut state::Process) -> Result<T, ProcessError>,
    ) -> Result<T, ProcessError> {
        self.holder.shared.change(|state| state.on_process(self.id, call))
    }

    /// Asks `call` until it has an answer, each time that `waitable` says it may have one.
    async fn wait<T>(
        &self,
        waitable: &Waitable,
        mut call: impl FnMut(&mut state::Process) -> Result<Option<T>, ProcessError>,
    ) -> Result<T, ProcessError> {
        let mut waitable = waitable.clone();
        loop {
            // Not only when it is ready: another task may have taken what made it so.
            if let Some(answer) = self.change(&mut call)? {
                return Ok(answer);
            }
            waitable.ready().await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.holder.shared.change(|state| state.drop_process(self.id));
    }
}
