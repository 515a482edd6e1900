//! What happens in one turn of a computer.
//!
//! Called by the line's threads, one at a time for each computer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::computer::{Config, State};
use crate::instance::{Failure, Instance, Stop};
use crate::module::Module;
use crate::turns::{Next, Task};

/// Instructions of one turn: some 20 milliseconds. As long as others wait, and short enough that a
/// computer that somebody types into answers between two of them.
const SLICE: u64 = 2_000_000;

/// Nanoseconds of a tick of the computer's clock.
const NANOS_PER_TICK: u64 = 100;

/// A computer between two turns.
pub struct Turn {
    stage: Stage,
}

enum Stage {
    New(Box<(Arc<Module>, Config)>),
    On { instance: Box<Instance>, rest: Option<Rest> },
    Off,
}

/// Since when a guest waits, on both clocks.
#[derive(Clone, Copy)]
struct Rest {
    since: Instant,
    ticks: u64,
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
                let instance = Instance::boot(&module, config, Arc::downgrade(task))?;
                Stage::On { instance: Box::new(instance), rest: None }
            }
            stage => stage,
        };
        let Stage::On { instance, rest } = &mut self.stage else { return Ok(Ok(Next::Over)) };
        if let Some(rest) = rest.take() {
            let passed = rest.since.elapsed().as_nanos() as u64 / NANOS_PER_TICK;
            instance.advance_to(rest.ticks.saturating_add(passed))?;
        }
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
        let (since, ticks) = (Instant::now(), instance.now()?);
        *rest = Some(Rest { since, ticks });
        Ok(Ok(match until.map(|until| until.saturating_sub(ticks)) {
            None => Next::Wait,
            Some(0) => Next::Again,
            Some(wait) => {
                let wait = Duration::from_nanos(wait.saturating_mul(NANOS_PER_TICK));
                since.checked_add(wait).map_or(Next::Wait, Next::At)
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
