//! The agents' log.
//!
//! Called by the `log` verb, by the host when it has something to tell about an agent, and by
//! `logs`. Table: `log`. A bounded number of lines is kept per agent, so that a chatty one drops
//! its own past and nobody else's. How fast lines may come is the caller's to limit.

use domain::limits::LOG_LINE_MAX_BYTES;
use domain::{AgentName, SessionId};
use rusqlite::{Row, params};
use serde::Serialize;

use crate::column::{agent, int, optional_session, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid};

/// Lines kept per agent: some days of a busy agent, 1 MB as a rule, 80 MB at the very worst.
pub const LOG_LINES_MAX: u32 = 10_000;
/// Lines of one answer of `tail`: all that two agents have.
pub const TAIL_MAX: u32 = 20_000;
/// What stands at the end of a line that was cut.
const CUT_MARK: &str = "… [cut]";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The reverse of `as_str`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// One line. The message is a guest's: a terminal must filter it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Grows with time; for following the log.
    pub id: u64,
    pub agent: AgentName,
    pub session: Option<SessionId>,
    pub level: Level,
    pub message: String,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

/// Which lines; those that match every field that is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tail<'a> {
    pub agent: Option<&'a AgentName>,
    pub session: Option<&'a SessionId>,
    /// This level or a graver one.
    pub level: Option<Level>,
    /// Younger than the line of this id: for following.
    pub after: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(LogError);

/// The log of all agents. See [`Store::log`].
#[derive(Debug)]
pub struct Log<'a>(&'a Store);

impl Store {
    pub fn log(&self) -> Log<'_> {
        Log(self)
    }
}

impl Log<'_> {
    /// Adds a line and drops the agent's oldest one when it has more than [`LOG_LINES_MAX`]. Of
    /// the message 8,192 bytes are kept; the rest is cut and the cut is marked.
    pub fn append(
        &self,
        agent: &AgentName,
        session: Option<&SessionId>,
        level: Level,
        message: &str,
        now_ms: u64,
    ) -> Result<(), LogError> {
        let message = cut(message, LOG_LINE_MAX_BYTES);
        self.0.write(|db| {
            let seq: i64 = db
                .prepare_cached("SELECT ifnull(max(seq), 0) + 1 FROM log WHERE agent = ?1")?
                .query_row([agent.as_str()], |row| row.get(0))?;
            db.prepare_cached(
                "INSERT INTO log (agent, seq, session, level, message, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                agent.as_str(),
                seq,
                session.map(SessionId::as_str),
                level as u8,
                message,
                int(now_ms),
            ])?;
            db.prepare_cached("DELETE FROM log WHERE agent = ?1 AND seq <= ?2")?
                .execute(params![agent.as_str(), seq - i64::from(LOG_LINES_MAX)])?;
            Ok(())
        })
    }

    /// The newest `limit` lines (1 to [`TAIL_MAX`]), oldest first.
    pub fn tail(&self, tail: &Tail<'_>, limit: u32) -> Result<Vec<Line>, LogError> {
        invalid::page(limit, TAIL_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, agent, session, level, message, at FROM log
                 WHERE (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR session = ?2)
                   AND level >= ?3 AND id > ?4
                 ORDER BY id DESC LIMIT ?5",
            )?;
            let mut lines = statement
                .query_map(
                    params![
                        tail.agent.map(AgentName::as_str),
                        tail.session.map(SessionId::as_str),
                        tail.level.map_or(0, |level| level as u8),
                        int(tail.after.unwrap_or(0)),
                        limit,
                    ],
                    line,
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            lines.reverse();
            Ok(lines)
        })
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let level: u8 = row.get(3)?;
    Ok(Line {
        id: uint(row.get(0)?),
        agent: agent(row, 1)?,
        session: optional_session(row, 2)?,
        // The schema checks the range.
        level: Level::ALL.get(usize::from(level)).copied().unwrap_or(Level::Error),
        message: row.get(4)?,
        at: uint(row.get(5)?),
    })
}

/// The beginning of a text, in at most `max` bytes with the mark, cut between characters.
pub(crate) fn cut(text: &str, max: usize) -> std::borrow::Cow<'_, str> {
    if text.len() <= max {
        return text.into();
    }
    let end = text.floor_char_boundary(max.saturating_sub(CUT_MARK.len()));
    format!("{}{CUT_MARK}", &text[..end]).into()
}
