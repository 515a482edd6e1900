//! What the host asks for.

use std::time::{Duration, Instant};

use machine_protocol::{Command, Event, MAX_PROCESSES, Program, Refusal, Request, Signal};
use rustix::process::Signal as Number;
use rustix::time::{ClockId, Timespec, clock_settime};

use super::process::{Process, Shown};
use super::settings::Clock;
use super::start::start;
use super::{Agent, AgentError, Next};
use crate::tree::Tree;

const NANOS: u64 = 1_000_000_000;

impl Agent {
    /// Does what came, as long as the host also reads what it is answered.
    pub(super) fn requests(&mut self) -> Result<Next, AgentError> {
        loop {
            if !self.host.takes_requests() {
                self.host.flush()?;
            }
            if !self.host.takes_requests() {
                return Ok(Next::Continue);
            }
            let Some(request) = self.host.next()? else { return Ok(Next::Continue) };
            if self.request(request)? == Next::PowerOff {
                return Ok(Next::PowerOff);
            }
        }
    }

    /// An id that is not known is one whose last message crossed the request: nothing is to be done.
    fn request(&mut self, request: Request) -> Result<Next, AgentError> {
        let now = Instant::now();
        match request {
            Request::Clock { unix_nanos } => self.set_clock(unix_nanos)?,
            Request::Start { process, command } => self.start(process, &command, now)?,
            Request::Input { process, data } => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.push(&data).map_err(|_| AgentError::Overrun)?;
                }
            }
            Request::CloseInput { process } => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.close_input();
                }
            }
            Request::Signal { process, signal } => {
                let tree = self.processes.get(&process).and_then(|process| process.tree.as_ref());
                if let Some(tree) = tree {
                    tree.signal(number(signal));
                }
            }
            Request::Resize { process, size } => {
                if let Some(process) = self.processes.get(&process) {
                    process.resize(size);
                }
            }
            Request::Allow { process, bytes } => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.allow(bytes);
                }
            }
            Request::Drop { process } => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.discard();
                    if let Some(tree) = process.tree.take() {
                        self.trees.kill(tree);
                    }
                }
            }
            Request::Data { connection, data } => {
                self.connections.push(connection, &data).map_err(|_| AgentError::Overrun)?;
            }
            Request::AllowData { connection, bytes } => self.connections.allow(connection, bytes),
            Request::Close { connection } => {
                if self.connections.close(connection, now) {
                    self.host.send(&Event::Closed { connection })?;
                }
            }
            Request::PowerOff => return Ok(Next::PowerOff),
        }
        Ok(Next::Continue)
    }

    fn start(&mut self, id: u32, command: &Command, now: Instant) -> Result<(), AgentError> {
        let shown = match &command.program {
            Program::Script(_) => Shown::Mirrored,
            Program::Terminal => Shown::Plain,
        };
        match self.try_start(id, command, shown, now) {
            Ok(process) => {
                self.processes.insert(id, process);
                if let Program::Script(script) = &command.program {
                    self.need_tmux();
                    self.mirror.script(id, script);
                }
                self.host.send(&Event::Started { process: id })
            }
            Err(refusal) => self.host.send(&Event::Refused { process: id, refusal }),
        }
    }

    fn try_start(
        &mut self,
        id: u32,
        command: &Command,
        shown: Shown,
        now: Instant,
    ) -> Result<Process, Refusal> {
        if self.processes.contains_key(&id) {
            return Err(Refusal::Invalid(format!("the id {id} is in use")));
        }
        if self.processes.len() >= MAX_PROCESSES {
            return Err(Refusal::System(format!("{MAX_PROCESSES} processes are running")));
        }
        let place = self.trees.place().map_err(Refusal::System)?;
        match start(command, &place, self.trees.windows(), &self.settings) {
            Ok(ends) => {
                let tree = Tree::new(place, ends.pid);
                let deadline = command.timeout_ms.map(|ms| now + Duration::from_millis(ms.into()));
                Ok(Process::new(ends, tree, shown, deadline))
            }
            Err(refusal) => {
                self.trees.unused(place);
                Err(refusal)
            }
        }
    }

    fn set_clock(&mut self, unix_nanos: u64) -> Result<(), AgentError> {
        if self.settings.clock == Clock::Leave {
            return Ok(());
        }
        let seconds = i64::try_from(unix_nanos / NANOS).unwrap_or_default();
        let nanos = i64::try_from(unix_nanos % NANOS).unwrap_or_default();
        let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
        match clock_settime(ClockId::Realtime, time) {
            Ok(()) => Ok(()),
            Err(error) => {
                let text = format!("the clock cannot be set: {error}");
                self.host.send(&Event::Log { text })
            }
        }
    }
}

fn number(signal: Signal) -> Number {
    match signal {
        Signal::Interrupt => Number::INT,
        Signal::Terminate => Number::TERM,
        Signal::Kill => Number::KILL,
    }
}
