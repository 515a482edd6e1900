//! What comes from the agent. Nothing of it is believed before it is checked.

use std::fmt::Display;

use machine_protocol::{Event, Refusal, VERSION};

use super::process::Breach;
use super::{Process, Stage, State, Who};
use crate::error::Ended;

/// Characters of a guest's text that are kept: of a line for the log, of a reason.
const MAX_TEXT: usize = 1024;

const STARTED_ANEW: &str = "the machine's agent was started anew; what ran before was killed";

/// What the task of the stream has to do about an event.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    Nothing,
    /// An agent begins, which reads from the beginning of a message: what is left of one for the agent
    /// before it must not be sent.
    Hello,
    /// The key of a new connection.
    Connected(u64),
}

impl State {
    /// # Errors
    /// The guest broke the protocol, or speaks another: it is not to be spoken to any more.
    pub fn event(&mut self, event: Event) -> Result<News, Ended> {
        if let Event::Hello { version } = event {
            return self.hello(version);
        }
        if matches!(self.stage, Stage::Silent) {
            return Err(Ended::Protocol("it spoke before its hello".into()));
        }
        match event {
            Event::Hello { .. } => {}
            Event::Started { process } => self.process(process, Process::on_started)?,
            Event::Refused { process, refusal } => {
                self.process(process, |found| found.on_refused(short(refusal)))?;
            }
            Event::Output { process, stream, data } => {
                self.process(process, |found| found.on_output(stream, &data))?;
            }
            Event::InputTaken { process, bytes } => {
                self.process(process, |found| found.on_input_taken(bytes))?;
            }
            Event::InputClosed { process } => self.process(process, Process::on_input_closed)?,
            Event::Exited { process, exit } => {
                self.process(process, |found| found.on_exited(exit))?;
            }
            Event::Ended { process } => self.process(process, Process::on_ended)?,
            Event::Connected { connection } => return self.connected(connection),
            Event::Data { connection, data } => {
                self.connection(connection, |found| found.on_data(&data))?;
            }
            Event::DataTaken { connection, bytes } => {
                self.connection(connection, |found| found.on_taken(bytes))?;
            }
            Event::Closed { connection } => self.closed(connection)?,
            Event::Log { text } => tracing::debug!(text = ?cut(&text), "the machine's agent"),
        }
        Ok(News::Nothing)
    }

    fn hello(&mut self, version: u32) -> Result<News, Ended> {
        if version != VERSION {
            return Err(Ended::Version { theirs: version });
        }
        for process in self.processes.values_mut().filter(|process| !process.is_queued()) {
            process.lose(STARTED_ANEW);
        }
        self.processes.retain(|_, process| !process.is_forgotten());
        self.connections.lose_all(STARTED_ANEW);
        self.stage = Stage::Speaking;
        self.greeted = true;
        self.spoken.raise();
        Ok(News::Hello)
    }

    fn process(
        &mut self,
        id: u32,
        tell: impl FnOnce(&mut Process) -> Result<(), Breach>,
    ) -> Result<(), Ended> {
        let breach = |breach: Breach| Ended::Protocol(format!("of process {id}: {breach}"));
        let process = self.processes.get_mut(&id).ok_or_else(|| breach(Breach::Unasked))?;
        tell(process).map_err(breach)?;
        if process.is_forgotten() {
            self.processes.remove(&id);
        }
        Ok(())
    }

    fn connected(&mut self, id: u32) -> Result<News, Ended> {
        let key = self.connections.open(id).map_err(|breach| about(id, breach))?;
        Ok(News::Connected(key))
    }

    fn connection<B: Display>(
        &mut self,
        id: u32,
        tell: impl FnOnce(&mut super::connection::Connection) -> Result<(), B>,
    ) -> Result<(), Ended> {
        let found = self.connections.named(id);
        let (_, connection) = found.ok_or_else(|| about(id, "it is not open"))?;
        tell(connection).map_err(|breach| about(id, breach))
    }

    fn closed(&mut self, id: u32) -> Result<(), Ended> {
        let found = self.connections.named(id);
        let (key, connection) = found.ok_or_else(|| about(id, "it is not open"))?;
        connection.on_closed();
        self.connections.tidy(key);
        if let Some(key) = self.connections.thin_out() {
            self.turns.want(Who::Connection(key));
        }
        Ok(())
    }
}

fn about(connection: u32, breach: impl Display) -> Ended {
    Ended::Protocol(format!("of connection {connection}: {breach}"))
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(end, _)| &text[..end])
}

fn short(refusal: Refusal) -> Refusal {
    let short = |text: String| cut(&text).to_owned();
    match refusal {
        Refusal::NoDirectory(path) => Refusal::NoDirectory(short(path)),
        Refusal::Invalid(text) => Refusal::Invalid(short(text)),
        Refusal::System(text) => Refusal::System(short(text)),
        Refusal::NoShell => Refusal::NoShell,
    }
}
