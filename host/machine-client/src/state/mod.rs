//! Everything that is known of a machine's agent, as one value without I/O.
//!
//! The task of the stream puts in what came ([`State::event`]) and takes out what is to be sent
//! ([`State::requests`]); handles call the rest. Nothing waits here: a process and a connection are
//! mailboxes in which a request stands once, so what is to be sent is bounded by their number and by
//! windows, whether the guest reads or not.

mod connection;
mod connections;
mod events;
mod flow;
mod front;
mod output;
mod process;
mod requests;
mod turns;

use std::collections::BTreeMap;
use std::io;
use std::task::{Context, Poll};

use domain::wait::{Signal, Waitable};
use machine_protocol::{Command, MAX_PROCESSES, Refusal, Request, encode};
use tokio::io::ReadBuf;

use self::connections::Connections;
use self::process::Screen;
use self::turns::{Turns, Who};
use crate::error::{Ended, ProcessError};

pub use self::events::News;
pub use self::output::Chunk;
pub use self::process::{Process, Waitables};

#[derive(Debug, Default)]
enum Stage {
    /// No hello yet.
    #[default]
    Silent,
    Speaking,
    Ended(Ended),
}

#[derive(Debug, Default)]
pub struct State {
    stage: Stage,
    /// Raised with the hello and with the end.
    spoken: Signal,
    over: Signal,
    /// Nobody is left who could want anything.
    abandoned: bool,
    greeted: bool,
    power_off: bool,
    /// By ids, those that are over included as long as somebody holds them.
    processes: BTreeMap<u32, Process>,
    next: u32,
    connections: Connections,
    turns: Turns,
}

impl State {
    pub fn spoken(&self) -> Waitable {
        self.spoken.waitable()
    }

    pub fn over(&self) -> Waitable {
        self.over.waitable()
    }

    pub fn ended(&self) -> Option<Ended> {
        match &self.stage {
            Stage::Ended(ended) => Some(ended.clone()),
            Stage::Silent | Stage::Speaking => None,
        }
    }

    /// Nothing comes any more. The first reason counts.
    pub fn end(&mut self, ended: Ended) {
        if self.ended().is_some() {
            return;
        }
        let reason = ended.to_string();
        self.stage = Stage::Ended(ended);
        self.turns = Turns::default();
        for process in self.processes.values_mut() {
            process.lose(&reason);
        }
        self.processes.retain(|_, process| !process.is_forgotten());
        self.connections.lose_all(&reason);
        self.spoken.raise();
        self.over.raise();
    }

    pub fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Whether nobody is left and all they asked for is sent.
    pub fn is_done(&self) -> bool {
        self.abandoned && !self.has_requests()
    }

    pub fn power_off(&mut self) {
        self.power_off = true;
    }

    /// A process under a new id. What became of it is for it to tell.
    pub fn start(&mut self, command: Command) -> (u32, Waitables) {
        while self.processes.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let id = self.next;
        // Not the same at once: a guest that confuses its commands is then found out.
        self.next = self.next.wrapping_add(1);
        let screen = if command.pty.is_some() { Screen::Terminal } else { Screen::Pipes };
        let process = Process::new(self.start_message(id, command), screen);
        if process.is_queued() {
            self.turns.want(Who::Process(id));
        }
        let waitables = process.waitables();
        self.processes.insert(id, process);
        (id, waitables)
    }

    fn start_message(&self, process: u32, command: Command) -> Result<Vec<u8>, ProcessError> {
        if let Stage::Ended(ended) = &self.stage {
            return Err(ProcessError::Gone(ended.to_string()));
        }
        if self.processes.values().filter(|process| !process.is_over()).count() >= MAX_PROCESSES {
            return Err(ProcessError::TooMany);
        }
        encode(&Request::Start { process, command })
            .map_err(|error| ProcessError::Refused(Refusal::Invalid(error.to_string())))
    }

    /// A call of the owner of a process.
    pub fn on_process<T>(
        &mut self,
        id: u32,
        call: impl FnOnce(&mut Process) -> Result<T, ProcessError>,
    ) -> Result<T, ProcessError> {
        let process = self.processes.get_mut(&id);
        let process = process.ok_or_else(|| ProcessError::Gone("it was dropped".into()))?;
        let result = call(process);
        if process.has_requests() {
            self.turns.want(Who::Process(id));
        }
        result
    }

    pub fn drop_process(&mut self, id: u32) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.leave();
        if process.is_forgotten() {
            self.processes.remove(&id);
            self.turns.forget(Who::Process(id));
        } else {
            self.turns.want(Who::Process(id));
        }
    }

    pub fn poll_read(
        &mut self,
        key: u64,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.on_connection(key, |connection| connection.poll_read(cx, into))
            .unwrap_or(Poll::Ready(Ok(())))
    }

    pub fn poll_write(
        &mut self,
        key: u64,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.on_connection(key, |connection| connection.poll_write(cx, data))
            .unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())))
    }

    pub fn close_connection(&mut self, key: u64) {
        self.on_connection(key, connection::Connection::close);
    }

    pub fn drop_connection(&mut self, key: u64) {
        self.on_connection(key, connection::Connection::leave);
        self.connections.tidy(key);
    }

    /// A call of whoever has a connection; there is one as long as somebody has it.
    fn on_connection<T>(
        &mut self,
        key: u64,
        call: impl FnOnce(&mut connection::Connection) -> T,
    ) -> Option<T> {
        let connection = self.connections.get(key)?;
        let result = call(connection);
        if connection.has_requests() {
            self.turns.want(Who::Connection(key));
        }
        Some(result)
    }
}
