//! The lines on the socket: JSON-RPC 2.0, one object a line. `docs/control.md` describes them.
//!
//! Fields and notifications may be added within a protocol number; readers skip what they do not
//! know. What changes meaning takes the next number.

use domain::{AgentName, NanoDollars, Part, Question, QuestionId, SessionId, TurnId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The number that `hello` carries.
pub const PROTOCOL: u32 = 1;
/// What every line says in `jsonrpc`.
pub const VERSION: &str = "2.0";
/// A request: a long paste or a small picture in a steer. The buffer is per connection, so this
/// also bounds what 64 of them hold.
pub const REQUEST_MAX_BYTES: usize = 1 << 20;
/// Connections of one process at a time, watchers included: more than a person has terminals.
pub const CONNECTIONS_MAX: usize = 64;
/// Serialised entries that a session keeps for those who read later or slower: the text of a day.
pub const RECORD_MAX_BYTES: usize = 8 << 20;
/// One entry: a larger event is not shown and counts as missed, since it would push out all others.
pub const ENTRY_MAX_BYTES: usize = 2 << 20;
/// What is typed into a terminal at once: a paste. As Base64 it fits into a request.
pub const TERMINAL_INPUT_MAX_BYTES: usize = 64 << 10;
/// Questions that are open at once: harnesses ask one after another, parallel tools a few.
pub const QUESTIONS_MAX: usize = 64;

/// One request. `session` may be left out in every one while the process has one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum Request {
    /// The sessions of this process. Answered by [`Sessions`].
    List {},
    /// The record of a session from the beginning of its running or last turn, then as it grows.
    /// Once per connection. Answered by [`Info`]; then notifications come.
    Watch(Watch),
    /// The questions that wait for an answer. Answered by [`Questions`].
    Questions(Which),
    /// For the model before its next step.
    Steer(Say),
    /// For the harness when its turn would otherwise end.
    FollowUp(Say),
    /// Ends the running turn, gently.
    Cancel(Which),
    /// Answers a question.
    Answer(Reply),
    /// One more client of the machine's terminal; once per connection at a time. Then notifications
    /// come, also when there is no terminal.
    Terminal(Terminal),
    /// What is typed there. Answered when it was taken; until then nothing more is read.
    TerminalInput(TerminalInput),
    /// It has another size.
    TerminalResize(TerminalSize),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Whether somebody is there who answers questions: while this connection lasts, they wait.
    #[serde(default)]
    pub answers: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    pub question: QuestionId,
    /// One of the question's choices, if it has any.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    pub columns: u16,
    pub rows: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalInput {
    /// Bytes in Base64, at most [`TERMINAL_INPUT_MAX_BYTES`].
    pub data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSize {
    pub columns: u16,
    pub rows: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    pub sessions: Vec<Info>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions {
    pub questions: Vec<Question>,
}

/// One session as others see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    pub session: SessionId,
    pub agent: AgentName,
    pub harness: String,
    pub model: String,
    pub state: State,
    /// The running turn.
    pub turn: Option<TurnId>,
    /// When the turn began, or the last one ended; milliseconds since the Unix epoch.
    pub since: u64,
    /// Settled in this process.
    pub cost: NanoDollars,
    pub watchers: usize,
    /// Open questions.
    pub questions: usize,
    /// Whether it has a machine, whose terminal can be asked for.
    pub machine: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Idle,
    Running,
    /// Running, and a question waits for its answer.
    Asking,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Asking => "asking",
        }
    }
}

/// What the server says unasked. `seq` counts a session's entries from 0 without a gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum Notice<E = Value> {
    /// The first line of every connection.
    Hello(Hello),
    /// An event of the session, as `docs/events.md` has them.
    Event { session: SessionId, seq: u64, event: E },
    /// A question waits for an answer.
    Question { session: SessionId, seq: u64, question: Question },
    /// A question is over: answered, or by nobody, when it was withdrawn or nobody is left.
    Answered {
        session: SessionId,
        seq: u64,
        question: QuestionId,
        by: Option<String>,
        text: Option<String>,
    },
    /// Somebody steers or cancels.
    Input { session: SessionId, seq: u64, by: String, input: Input },
    /// So many entries were missed before the next one: the record has moved on.
    Lagged { session: SessionId, missed: u64 },
    /// The session is closed; nothing follows.
    Ended { session: SessionId, seq: u64 },
    /// What the terminal shows next: bytes in Base64.
    TerminalOutput { session: SessionId, data: String },
    /// The terminal is gone, or there is none, for this reason.
    TerminalEnded { session: SessionId, reason: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    /// Of the program.
    pub version: String,
    pub pid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    Steer(Vec<Part>),
    FollowUp(Vec<Part>),
    Cancel,
}

/// An error as a line carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub code: i64,
    pub message: String,
}

/// Codes of errors: JSON-RPC's own, and ours from 1.
pub mod code {
    pub const PARSE: i64 = -32_700;
    pub const INVALID_REQUEST: i64 = -32_600;
    pub const METHOD_NOT_FOUND: i64 = -32_601;
    pub const INVALID_PARAMS: i64 = -32_602;
    /// No such session here, or several and none is named.
    pub const SESSION: i64 = 1;
    /// No turn is running.
    pub const IDLE: i64 = 2;
    /// The question is over.
    pub const GONE: i64 = 3;
    /// None of the choices.
    pub const CHOICE: i64 = 4;
    /// Too many of these.
    pub const FULL: i64 = 5;
}

/// A line of JSON-RPC around its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line<T> {
    pub jsonrpc: String,
    #[serde(flatten)]
    pub content: T,
}

impl<T: Serialize> Line<T> {
    /// The line with its end.
    pub fn write(content: T) -> Result<String, serde_json::Error> {
        let mut line = serde_json::to_string(&Self { jsonrpc: VERSION.into(), content })?;
        line.push('\n');
        Ok(line)
    }
}
