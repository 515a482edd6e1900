//! What a system is to its driver: bytes in both directions, and what it has cost.

use std::time::{Duration, Instant};

use anyhow::Result;
use nix::time::{ClockId, clock_gettime};

/// One end of the line to a runner, and the clocks of what is at the other.
pub trait Wire {
    /// Sends all of it.
    ///
    /// # Errors
    /// The system is gone.
    fn send(&mut self, bytes: &[u8]) -> Result<()>;

    /// Waits for bytes and appends them.
    ///
    /// # Errors
    /// The system is gone, or the deadline has passed.
    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()>;

    /// What it has cost so far. Exact while the guest waits.
    fn clock(&self) -> Result<Clock>;

    /// What it said beside the line, for messages about its end.
    fn last_words(&self) -> String;
}

/// What a system has cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Processor time of the host; `None` where only the runner can tell.
    pub cpu: Option<Duration>,
    /// Instructions of the guest, where they are counted.
    pub instructions: Option<u64>,
}

/// Processor time of a clock.
pub fn cpu(clock: ClockId) -> Result<Duration> {
    Ok(clock_gettime(clock)?.into())
}

impl<W: Wire + ?Sized> Wire for Box<W> {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        (**self).send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        (**self).receive(into, deadline)
    }

    fn clock(&self) -> Result<Clock> {
        (**self).clock()
    }

    fn last_words(&self) -> String {
        (**self).last_words()
    }
}
