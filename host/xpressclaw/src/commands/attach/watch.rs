//! Watching: what comes from the session goes to the screen, what is typed goes to the session.

use anyhow::Result;
use control::protocol::{Questions, Reply, Request, Say, Watch, Which, code};
use control::{Client, ClientError, Incoming};
use domain::{Part, SessionId};

use super::screen::Screen;
use super::target::Target;
use crate::asked;
use crate::cli::{AttachArgs, Format};
use crate::exit::{Exit, Failure};
use crate::terminal::{Interrupts, is_interactive};
use crate::typed::{Typed, Typing};

/// A line that cancels instead of steering.
const CANCEL: &str = "/cancel";

/// Who sits here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// Types and answers.
    Person,
    /// Steers with what is piped in; nobody answers.
    Pipe,
    Spectator,
}

impl Seat {
    fn of(args: &AttachArgs) -> Self {
        use std::io::IsTerminal;
        if args.read_only {
            Self::Spectator
        } else if !std::io::stdin().is_terminal() {
            Self::Pipe
        } else if args.format == Format::Text && is_interactive() {
            Self::Person
        } else {
            Self::Spectator
        }
    }
}

/// Watches until the session ends or the user leaves.
pub async fn watch(target: Target, args: &AttachArgs) -> Result<Exit> {
    let seat = Seat::of(args);
    let mut interrupts = Interrupts::listen()?;
    let session = target.info.session;
    let mut client = Client::connect(&target.socket).await.map_err(gone)?;
    let watch = Watch { session: Some(session.clone()), answers: seat == Seat::Person };
    let info: control::protocol::Info = client.call(&Request::Watch(watch)).await.map_err(gone)?;
    let running = info.state != control::protocol::State::Idle;
    let screen = Screen::new(args.format, seat == Seat::Person, running);
    screen.printer.note(&format!(
        "session {session} of agent {}, {}{}",
        info.agent,
        info.state.as_str(),
        match seat {
            Seat::Person => "; a line steers, /cancel or Ctrl-C cancels the turn, Ctrl-D leaves",
            Seat::Pipe | Seat::Spectator => "",
        }
    ));
    let mut typed = match seat {
        Seat::Person => Typed::terminal()?,
        Seat::Pipe => Typed::pipe()?,
        Seat::Spectator => Typed::nothing(),
    };
    let mut attached = Attached { client, session, seat, screen, lagged: None, cancelling: false };
    loop {
        let exit = tokio::select! {
            biased;
            () = interrupts.next() => attached.interrupted().await?,
            incoming = attached.client.next() => attached.incoming(incoming, &mut typed).await?,
            typing = typed.next() => attached.typed(typing, &mut typed).await?,
        };
        if attached.screen.printer.is_closed() {
            return Ok(Exit::Failed);
        }
        if let Some(exit) = exit {
            return Ok(exit);
        }
    }
}

struct Attached {
    client: Client,
    session: SessionId,
    seat: Seat,
    screen: Screen,
    /// A request for the questions that were missed.
    lagged: Option<u64>,
    cancelling: bool,
}

/// Each gives back an exit code when the watching is over.
impl Attached {
    async fn interrupted(&mut self) -> Result<Option<Exit>> {
        let person = self.seat == Seat::Person;
        if !person || self.cancelling || !self.screen.running {
            self.screen.printer.end_of_turn();
            return Ok(Some(Exit::Cancelled));
        }
        self.screen.printer.note("Ctrl-C again leaves at once");
        self.cancel().await?;
        Ok(None)
    }

    async fn cancel(&mut self) -> Result<()> {
        self.cancelling = true;
        self.send(Request::Cancel(Which { session: Some(self.session.clone()) })).await?;
        Ok(())
    }

    async fn incoming(
        &mut self,
        incoming: Result<Incoming, ClientError>,
        typed: &mut Typed,
    ) -> Result<Option<Exit>> {
        match incoming.map_err(gone)? {
            Incoming::Notice(notice) => {
                let lagged = matches!(notice, control::protocol::Notice::Lagged { .. });
                if !self.screen.notice(notice, typed) {
                    self.screen.printer.end_of_turn();
                    return Ok(Some(self.screen.exit));
                }
                self.cancelling &= self.screen.running;
                if lagged {
                    let which = Which { session: Some(self.session.clone()) };
                    self.lagged = Some(self.send(Request::Questions(which)).await?);
                }
            }
            Incoming::Done(number, Ok(result)) if self.lagged == Some(number) => {
                let questions = serde_json::from_value::<Questions>(result).unwrap_or_default();
                for question in questions.questions {
                    self.screen.question(question, typed);
                }
            }
            Incoming::Done(_, Ok(_)) => {}
            // Somebody else was faster; the next line of the record says who.
            Incoming::Done(_, Err(error)) if error.code == code::GONE => {}
            Incoming::Done(_, Err(error)) => self.screen.printer.note(&error.to_string()),
        }
        Ok(None)
    }

    async fn typed(&mut self, typing: Typing, typed: &mut Typed) -> Result<Option<Exit>> {
        self.screen.printer.typed();
        let Typing::Line(line) = typing else {
            // A pipe that ends has said all that it had to say.
            return Ok((self.seat == Seat::Person).then_some(Exit::Ok));
        };
        if line.trim() == CANCEL {
            self.cancel().await?;
            return Ok(None);
        }
        let session = Some(self.session.clone());
        if let Some(question) = self.screen.asked.first() {
            match asked::answer(question, &line) {
                Ok(text) => {
                    let question = question.id.clone();
                    self.send(Request::Answer(Reply { session, question, text })).await?;
                }
                Err(complaint) => {
                    self.screen.printer.plain_line(&complaint);
                    self.screen.ask(typed);
                }
            }
        } else if !line.trim().is_empty() {
            self.send(Request::Steer(Say { session, parts: vec![Part::Text(line)] })).await?;
        }
        Ok(None)
    }

    async fn send(&mut self, request: Request) -> Result<u64> {
        Ok(self.client.send(&request).await.map_err(gone)?)
    }
}

pub fn gone(error: ClientError) -> Failure {
    let failure = Failure::new(Exit::Failed, "cannot watch the session any more");
    match error {
        ClientError::Dead | ClientError::Closed | ClientError::Io(_) => {
            failure.hint("its process is gone; `xpressclaw ps` shows those that run")
        }
        _ => failure,
    }
    .because(error)
}
