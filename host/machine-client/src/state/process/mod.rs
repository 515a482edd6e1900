//! One process: what is known of it, what waits for its reader, what is to be asked for it.
//!
//! A plain value without I/O. Calls of the owner are in `calls`, what the guest tells in `events`.

mod calls;
mod events;

use domain::wait::{Signal as Raised, Waitable};
use machine_protocol::{Exit, Request, Signal, Size};

use super::flow::{Inflow, Outflow};
use super::output::Output;
use crate::error::ProcessError;

pub use self::events::Breach;

#[derive(Debug)]
enum Phase {
    /// Not asked for; the message that will.
    Queued(Vec<u8>),
    Asked,
    Running,
    /// Ended with all its output, or nothing more comes for this reason. The guest may not name it.
    Over(Result<(), ProcessError>),
}

/// Whether it has an owner.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Holds,
    /// It has none, and the guest is to be told.
    Left,
    /// The guest was.
    Gone,
}

#[derive(Debug, PartialEq, Eq)]
enum Input {
    Open,
    /// The owner closed it; the guest is to be told after what was written.
    Closing,
    Closed,
}

/// Whether it runs on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Terminal,
    Pipes,
}

#[derive(Debug)]
pub struct Process {
    phase: Phase,
    /// Known for good, whatever else becomes of it.
    was_started: bool,
    exit: Option<Exit>,
    owner: Owner,
    screen: Screen,
    output: Output,
    inflow: Inflow,
    input: Input,
    outflow: Outflow,
    /// Each at most once.
    signals: Vec<Signal>,
    size: Option<Size>,
    readiness: Readiness,
}

/// Raised while a call would not wait.
#[derive(Debug, Default)]
struct Readiness {
    decided: Raised,
    readable: Raised,
    writable: Raised,
    exited: Raised,
}

/// The other ends of a process's readiness.
#[derive(Debug)]
pub struct Waitables {
    pub decided: Waitable,
    pub readable: Waitable,
    pub writable: Waitable,
    pub exited: Waitable,
}

impl Process {
    /// One to be asked for with this message, or one that failed before.
    pub fn new(start: Result<Vec<u8>, ProcessError>, screen: Screen) -> Self {
        let phase = start.map_or_else(|error| Phase::Over(Err(error)), Phase::Queued);
        let process = Self {
            phase,
            was_started: false,
            exit: None,
            owner: Owner::Holds,
            screen,
            output: Output::default(),
            inflow: Inflow::default(),
            input: Input::Open,
            outflow: Outflow::default(),
            signals: Vec::new(),
            size: None,
            readiness: Readiness::default(),
        };
        process.refresh();
        process
    }

    pub fn waitables(&self) -> Waitables {
        let Readiness { decided, readable, writable, exited } = &self.readiness;
        Waitables {
            decided: decided.waitable(),
            readable: readable.waitable(),
            writable: writable.waitable(),
            exited: exited.waitable(),
        }
    }

    pub fn is_queued(&self) -> bool {
        matches!(self.phase, Phase::Queued(_))
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Whether nobody will ask for it and the guest has not to answer for it.
    pub fn is_forgotten(&self) -> bool {
        self.owner != Owner::Holds && (self.is_over() || self.is_queued())
    }

    /// Nothing more will be known of it.
    pub fn lose(&mut self, reason: &str) {
        if !self.is_over() {
            self.over(Err(ProcessError::Gone(reason.into())));
        }
    }

    fn over(&mut self, how: Result<(), ProcessError>) {
        self.phase = Phase::Over(how);
        self.outflow.clear();
        self.refresh();
    }

    /// The owner left.
    pub fn leave(&mut self) {
        self.owner = Owner::Left;
        self.output.clear();
        self.outflow.clear();
        self.refresh();
    }

    /// Brings what waiters see up to what calls would do. Of one without an owner nobody waits for more.
    fn refresh(&self) {
        let Readiness { decided, readable, writable, exited } = &self.readiness;
        let over = self.is_over() || self.owner != Owner::Holds;
        let asked = matches!(self.phase, Phase::Queued(_) | Phase::Asked);
        set(decided, over || !asked);
        set(readable, over || !self.output.is_empty());
        set(writable, over || self.input != Input::Open || self.outflow.room() > 0);
        set(exited, over || self.exit.is_some());
    }

    /// Whether [`Process::start`] or [`Process::request`] has something.
    pub fn has_requests(&self) -> bool {
        match (&self.phase, &self.owner) {
            (Phase::Over(_), _) | (_, Owner::Gone) => false,
            (Phase::Queued(_), _) | (_, Owner::Left) => true,
            (Phase::Asked | Phase::Running, Owner::Holds) => {
                self.size.is_some()
                    || !self.outflow.is_empty()
                    || self.input == Input::Closing
                    || !self.signals.is_empty()
                    || self.inflow.is_due()
            }
        }
    }

    /// The message that starts it, unless it was sent.
    pub fn start(&mut self) -> Option<Vec<u8>> {
        let Phase::Queued(message) = &mut self.phase else { return None };
        let message = std::mem::take(message);
        self.phase = Phase::Asked;
        Some(message)
    }

    /// The next message about it. Input goes before its end and before signals, which may be the answer
    /// to what it makes of it.
    pub fn request(&mut self, process: u32) -> Option<Request> {
        if !self.has_requests() || self.is_queued() {
            return None;
        }
        if self.owner == Owner::Left {
            self.owner = Owner::Gone;
            return Some(Request::Drop { process });
        }
        if let Some(size) = self.size.take() {
            return Some(Request::Resize { process, size });
        }
        if let Some(data) = self.outflow.take() {
            return Some(Request::Input { process, data });
        }
        if self.input == Input::Closing {
            self.input = Input::Closed;
            return Some(Request::CloseInput { process });
        }
        if !self.signals.is_empty() {
            let signal = self.signals.remove(0);
            return Some(Request::Signal { process, signal });
        }
        self.inflow.take().map(|bytes| Request::Allow { process, bytes })
    }
}

fn set(condition: &Raised, holds: bool) {
    match holds {
        true => condition.raise(),
        false => condition.lower(),
    }
}
