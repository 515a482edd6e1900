//! What the guest tells of a process. It may lie, so each is checked against what can be.

use machine_protocol::{Exit, Refusal, Stream};

use super::{Input, Owner, Phase, Process};
use crate::error::ProcessError;
use crate::state::flow::Overrun;

/// What a guest does that the protocol forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    #[error("it was not asked for")]
    Unasked,
    #[error("an answer came twice")]
    Twice,
    #[error("it was not started")]
    NotStarted,
    #[error("it ended without an exit")]
    NoExit,
    #[error(transparent)]
    Overrun(#[from] Overrun),
}

impl Process {
    pub fn on_started(&mut self) -> Result<(), Breach> {
        self.answered()?;
        self.phase = Phase::Running;
        self.was_started = true;
        self.refresh();
        Ok(())
    }

    pub fn on_refused(&mut self, refusal: Refusal) -> Result<(), Breach> {
        self.answered()?;
        self.over(Err(ProcessError::Refused(refusal)));
        Ok(())
    }

    pub fn on_output(&mut self, stream: Stream, data: &[u8]) -> Result<(), Breach> {
        self.running()?;
        self.inflow.arrived(data.len())?;
        if self.owner == Owner::Holds {
            self.output.push(stream, data);
            self.refresh();
        }
        Ok(())
    }

    pub fn on_input_taken(&mut self, bytes: u32) -> Result<(), Breach> {
        self.running()?;
        self.outflow.taken(bytes)?;
        self.refresh();
        Ok(())
    }

    pub fn on_input_closed(&mut self) -> Result<(), Breach> {
        self.running()?;
        self.input = Input::Closed;
        self.outflow.clear();
        self.refresh();
        Ok(())
    }

    pub fn on_exited(&mut self, exit: Exit) -> Result<(), Breach> {
        self.running()?;
        if self.exit.is_some() {
            return Err(Breach::Twice);
        }
        self.exit = Some(exit);
        self.refresh();
        Ok(())
    }

    pub fn on_ended(&mut self) -> Result<(), Breach> {
        self.running()?;
        if self.exit.is_none() {
            return Err(Breach::NoExit);
        }
        self.over(Ok(()));
        Ok(())
    }

    fn answered(&self) -> Result<(), Breach> {
        match self.phase {
            Phase::Asked => Ok(()),
            Phase::Running => Err(Breach::Twice),
            Phase::Queued(_) | Phase::Over(_) => Err(Breach::Unasked),
        }
    }

    fn running(&self) -> Result<(), Breach> {
        match self.phase {
            Phase::Running => Ok(()),
            Phase::Asked => Err(Breach::NotStarted),
            Phase::Queued(_) | Phase::Over(_) => Err(Breach::Unasked),
        }
    }
}
