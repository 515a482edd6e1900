//! What the owner of a process asks. `None` means: not yet.

use machine_protocol::{Exit, Signal, Size};

use super::{Input, Phase, Process, Screen};
use crate::error::ProcessError;
use crate::state::Chunk;

type Answer<T> = Result<Option<T>, ProcessError>;

impl Process {
    pub fn started(&mut self) -> Answer<()> {
        match &self.phase {
            _ if self.was_started => Ok(Some(())),
            Phase::Over(Err(error)) => Err(error.clone()),
            Phase::Over(Ok(())) => Ok(Some(())),
            Phase::Queued(_) | Phase::Asked | Phase::Running => Ok(None),
        }
    }

    pub fn read(&mut self, max_bytes: usize) -> Answer<Vec<Chunk>> {
        if self.output.is_empty() {
            return match &self.phase {
                Phase::Over(Ok(())) => Ok(Some(Vec::new())),
                Phase::Over(Err(error)) => Err(error.clone()),
                Phase::Queued(_) | Phase::Asked | Phase::Running => Ok(None),
            };
        }
        let chunks = self.output.take(max_bytes.max(1));
        self.inflow.consumed(chunks.iter().map(|chunk| chunk.data.len()).sum());
        self.refresh();
        Ok(Some(chunks))
    }

    pub fn write(&mut self, data: &[u8]) -> Answer<usize> {
        match &self.phase {
            Phase::Over(Err(error)) => return Err(error.clone()),
            Phase::Over(Ok(())) => return Err(ProcessError::InputClosed),
            Phase::Queued(_) | Phase::Asked | Phase::Running => {}
        }
        if self.input != Input::Open {
            return Err(ProcessError::InputClosed);
        }
        let size = self.outflow.push(data);
        self.refresh();
        Ok((size > 0 || data.is_empty()).then_some(size))
    }

    pub fn close_input(&mut self) -> Result<(), ProcessError> {
        self.reachable()?;
        if self.input == Input::Open {
            self.input = Input::Closing;
            self.refresh();
        }
        Ok(())
    }

    pub fn signal(&mut self, signal: Signal) -> Result<(), ProcessError> {
        self.reachable()?;
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
        Ok(())
    }

    pub fn resize(&mut self, size: Size) -> Result<(), ProcessError> {
        if self.screen == Screen::Pipes {
            return Err(ProcessError::NoTerminal);
        }
        self.reachable()?;
        self.size = Some(size);
        Ok(())
    }

    pub fn exit(&mut self) -> Answer<Exit> {
        match (&self.exit, &self.phase) {
            (Some(exit), _) => Ok(Some(*exit)),
            (None, Phase::Over(Err(error))) => Err(error.clone()),
            (None, _) => Ok(None),
        }
    }

    /// What has exited needs no more to be told, whatever became of its machine.
    fn reachable(&self) -> Result<(), ProcessError> {
        match &self.phase {
            Phase::Over(Err(error)) if self.exit.is_none() => Err(error.clone()),
            _ => Ok(()),
        }
    }
}
