//! What happens in one turn of a computer.
//!
//! Called by the line's threads, one at a time for each computer.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Clock;
use crate::computer::{Config, State};
use crate::instance::{Failure, Instance, Stop};
use crate::module::Module;
use crate::turns::{Next, Task};

/// Instructions of one turn: some 20 milliseconds. As long as others wait, and short enough that a
/// computer that somebody types into answers between two of them.
const SLICE: u64 = 2_000_000;

/// A computer between two turns.
pub struct Turn {
    stage: Stage,
}

enum Stage {
    New(Box<(Arc<Module>, Config)>),
    On { instance: Box<Instance>, clock: Clock },
    Off,
}

impl Turn {
    /// A computer that boots at its first turn.
    pub fn new(module: Arc<Module>, config: Config) -> Self {
        Self { stage: Stage::New(Box::new((module, config))) }
    }

    /// One turn.
    pub fn take(&mut self, task: &Arc<Task>) -> Next {
        if task.shared.is_dropped() {
            return self.end(task, State::SwitchedOff);
        }
        let began = Instant::now();
        let result = self.work(task);
        task.shared.add_busy(began.elapsed());
        match result {
            Ok(Ok(next)) => next,
            Ok(Err(state)) => self.end(task, state),
            Err(failure) => {
                tracing::error!(%failure, "a machine's computer failed");
                self.end(task, State::Failed(failure))
            }
        }
    }

    /// The state is an end.
    fn work(&mut self, task: &Arc<Task>) -> Result<Result<Next, State>, Failure> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Off) {
            Stage::New(parts) => {
                let (module, config) = *parts;
                let mut instance = Instance::boot(&module, config, Arc::downgrade(task))?;
                let clock = Clock::new(instance.now()?);
                Stage::On { instance: Box::new(instance), clock }
            }
            stage => stage,
        };
        let Stage::On { instance, clock } = &mut self.stage else { return Ok(Ok(Next::Over)) };
        let ticks = instance.now()?;
        instance.advance_to(clock.read(ticks))?;
        if task.wires.has_room_again() {
            instance.takes_again()?;
        }
        task.wires.feed(|bytes| instance.input(bytes))?;
        let stop = instance.run(SLICE)?;
        task.shared.set_instructions(instance.instructions()?);
        let until = match stop {
            Stop::Budget => return Ok(Ok(Next::Again)),
            Stop::Shutdown => return Ok(Err(State::ShutDown)),
            Stop::Reboot => return Ok(Err(State::Rebooted)),
            Stop::Stuck(handler) => return Ok(Err(State::Stuck { handler })),
            Stop::Idle(until) => until,
        };
        // The run made room for more, as a rule.
        if task.wires.feed(|bytes| instance.input(bytes))? > 0 {
            return Ok(Ok(Next::Again));
        }
        let began = Instant::now();
        let ticks = clock.read(instance.now()?);
        instance.advance_to(ticks)?;
        Ok(Ok(match until {
            None => Next::Wait,
            Some(until) if until <= ticks => Next::Again,
            Some(until) => {
                began.checked_add(Clock::until(ticks, until)).map_or(Next::Wait, Next::At)
            }
        }))
    }

    /// Its memory is given back at once; what it sent can still be read.
    fn end(&mut self, task: &Arc<Task>, state: State) -> Next {
        self.stage = Stage::Off;
        task.shared.end(state);
        task.wires.close();
        Next::Over
    }
}
