//! What the requests do.

use domain::TurnInput;
use domain::terminal::Size;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::board::{Board, FindError, InputError, Watching};
use crate::connection::Peer;
use crate::desk::AnswerError;
use crate::protocol::{Error, Request, Say, Sessions, Terminal, TerminalSize, Which, code};
use crate::terminal::{Attached, Typed, decode};

/// The methods' names, for the error that lists them.
pub(crate) const NAMES: [&str; 10] = [
    "list",
    "watch",
    "questions",
    "steer",
    "follow_up",
    "cancel",
    "answer",
    "terminal",
    "terminal_input",
    "terminal_resize",
];

/// What a connection has open.
#[derive(Default)]
pub(crate) struct Open {
    pub watching: Option<Watching>,
    pub terminal: Option<Attached>,
}

/// What became of a request.
pub(crate) enum Done {
    Now(Value),
    /// When the terminal takes it.
    Later(Typed, mpsc::Sender<Typed>),
}

/// Performs a request and gives back its result.
pub(crate) fn perform(
    request: Request,
    peer: Peer,
    board: &Board,
    open: &mut Open,
) -> Result<Done, Error> {
    let typed = match request {
        Request::TerminalInput(input) => Typed::Data(decode(&input.data)?),
        Request::TerminalResize(TerminalSize { columns, rows }) => {
            Typed::Size(size(columns, rows)?)
        }
        other => return at_once(other, peer, board, open).map(Done::Now),
    };
    let Some(terminal) = &open.terminal else {
        let message = "this connection has no terminal; ask for `terminal` first".to_owned();
        return Err(Error { code: code::GONE, message });
    };
    Ok(Done::Later(typed, terminal.input()))
}

fn at_once(request: Request, peer: Peer, board: &Board, open: &mut Open) -> Result<Value, Error> {
    match request {
        Request::List {} => result(Sessions { sessions: board.list() }),
        Request::Watch(watch) => {
            if open.watching.is_some() {
                let message = "this connection watches already; open another".to_owned();
                return Err(Error { code: code::FULL, message });
            }
            let entry = board.find(watch.session.as_ref())?;
            open.watching = Some(entry.watch(watch.answers));
            result(entry.info())
        }
        Request::Questions(Which { session }) => result(board.find(session.as_ref())?.questions()),
        Request::Steer(Say { session, parts }) => {
            board.find(session.as_ref())?.input(said(parts, TurnInput::Steer)?, &peer.name())?;
            Ok(json!({}))
        }
        Request::FollowUp(Say { session, parts }) => {
            board.find(session.as_ref())?.input(said(parts, TurnInput::FollowUp)?, &peer.name())?;
            Ok(json!({}))
        }
        Request::Cancel(Which { session }) => {
            board.find(session.as_ref())?.input(TurnInput::Cancel, &peer.name())?;
            Ok(json!({}))
        }
        Request::Answer(reply) => {
            board.find(reply.session.as_ref())?.answer(&reply, &peer.name())?;
            Ok(json!({}))
        }
        Request::Terminal(Terminal { session, columns, rows }) => {
            if open.terminal.is_some() {
                let message = "this connection has a terminal already; open another".to_owned();
                return Err(Error { code: code::FULL, message });
            }
            let entry = board.find(session.as_ref())?;
            open.terminal = Some(entry.attach(size(columns, rows)?));
            Ok(json!({}))
        }
        // Above.
        Request::TerminalInput(_) | Request::TerminalResize(_) => Ok(json!({})),
    }
}

fn size(columns: u16, rows: u16) -> Result<Size, Error> {
    if columns == 0 || rows == 0 {
        let message = "`columns` and `rows` must be at least 1".to_owned();
        return Err(Error { code: code::INVALID_PARAMS, message });
    }
    Ok(Size { columns, rows })
}

fn said(
    parts: Vec<domain::Part>,
    input: fn(Vec<domain::Part>) -> TurnInput,
) -> Result<TurnInput, Error> {
    if parts.iter().all(|part| part.size() == 0) {
        return Err(Error { code: code::INVALID_PARAMS, message: "`parts` says nothing".into() });
    }
    Ok(input(parts))
}

fn result(value: impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|e| Error { code: code::INVALID_REQUEST, message: e.to_string() })
}

impl From<FindError> for Error {
    fn from(error: FindError) -> Self {
        Self { code: code::SESSION, message: error.to_string() }
    }
}

impl From<InputError> for Error {
    fn from(error: InputError) -> Self {
        let code = match error {
            InputError::Idle(_) => code::IDLE,
            InputError::Full(_) => code::FULL,
        };
        Self { code, message: error.to_string() }
    }
}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Self {
        let code = match error {
            AnswerError::Gone => code::GONE,
            AnswerError::Choice { .. } => code::CHOICE,
        };
        Self { code, message: error.to_string() }
    }
}
