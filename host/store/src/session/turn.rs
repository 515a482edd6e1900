//! Turns: how each ended, what it cost, and the two messages it leaves.

use domain::chat::Usage;
use domain::event::Stop;
use domain::limits::{LOG_LINE_MAX_BYTES, MESSAGES_MAX};
use domain::{NanoDollars, Part, SessionId, TurnId};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{SESSION_PAGE_MAX, SessionError, Sessions};
use crate::column::{int, json, money, named, optional_text, session, turn, uint, usage};
use crate::invalid;
use crate::log::cut;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Assistant].into_iter().find(|role| role.as_str() == name)
    }
}

/// What was said, for harnesses that keep no state of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastMessage {
    pub role: Role,
    pub parts: Vec<Part>,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Stop(Stop),
    /// The text for the user; 8,192 bytes are kept.
    Failed(String),
}

/// What a turn leaves.
#[derive(Debug, Clone, Copy)]
pub struct TurnEnd<'a> {
    pub end: &'a End,
    pub usage: Usage,
    /// As settled in the ledger.
    pub cost: NanoDollars,
    /// Served models, in order of first use.
    pub models: &'a [String],
    /// What the harness answered; may be empty.
    pub answer: &'a [Part],
}

/// One turn of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    pub id: TurnId,
    pub session: SessionId,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    /// Milliseconds since the Unix epoch; `None` while it runs, and for good when its process
    /// died.
    pub ended: Option<u64>,
    pub end: Option<End>,
    pub models: Vec<String>,
    pub usage: Usage,
    pub cost: NanoDollars,
}

impl Sessions<'_> {
    /// Records the beginning of a turn with the user's message. Not idempotent: turn ids are
    /// minted once.
    pub fn begin_turn(
        &self,
        session: &SessionId,
        turn: &TurnId,
        prompt: &[Part],
        now_ms: u64,
    ) -> Result<(), SessionError> {
        self.0.write(|db| {
            if touch(db, session, now_ms)? == 0 {
                return Err(SessionError::NotFound(session.clone()));
            }
            db.prepare_cached(
                "INSERT INTO turn (id, session, seq, started)
                 SELECT ?1, ?2, ifnull(max(seq), 0) + 1, ?3 FROM turn WHERE session = ?2",
            )?
            .execute(params![turn.as_str(), session.as_str(), int(now_ms)])?;
            add_message(db, turn, Role::User, prompt)?;
            Ok(())
        })
    }

    /// Records the end of a turn with the answer. Idempotent: the first end stands.
    pub fn finish_turn(
        &self,
        turn: &TurnId,
        end: &TurnEnd<'_>,
        now_ms: u64,
    ) -> Result<(), SessionError> {
        let (stop, failure) = match end.end {
            End::Stop(stop) => (Some(name_of(*stop)), None),
            End::Failed(message) => (None, Some(cut(message, LOG_LINE_MAX_BYTES))),
        };
        let models = serde_json::Value::from(end.models).to_string();
        self.0.write(|db| {
            let changed = db
                .prepare_cached(
                    "UPDATE turn SET ended = ?2, stop = ?3, failure = ?4, models = ?5, input = ?6,
                        cached = ?7, cache_written = ?8, output = ?9, reasoning = ?10, cost = ?11
                     WHERE id = ?1 AND ended IS NULL",
                )?
                .execute(params![
                    turn.as_str(),
                    int(now_ms),
                    stop,
                    failure,
                    models,
                    int(end.usage.input),
                    int(end.usage.cached),
                    int(end.usage.cache_written),
                    int(end.usage.output),
                    int(end.usage.reasoning),
                    int(end.cost.0),
                ])?;
            if changed == 0 {
                let known: bool = db
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM turn WHERE id = ?1)")?
                    .query_row([turn.as_str()], |row| row.get(0))?;
                let unknown = || SessionError::TurnNotFound(turn.clone());
                return if known { Ok(()) } else { Err(unknown()) };
            }
            if !end.answer.is_empty() {
                add_message(db, turn, Role::Assistant, end.answer)?;
            }
            db.prepare_cached(
                "UPDATE session SET updated = ?2
                 WHERE id = (SELECT session FROM turn WHERE id = ?1)",
            )?
            .execute(params![turn.as_str(), int(now_ms)])?;
            Ok(())
        })
    }

    /// The newest `limit` messages (1 to 100,000) of the turns that ended without failure, oldest
    /// first. A failed turn was undone, so nothing of it was said.
    pub fn history(
        &self,
        session: &SessionId,
        limit: u32,
    ) -> Result<Vec<PastMessage>, SessionError> {
        invalid::page(limit, u32::try_from(MESSAGES_MAX).unwrap_or(u32::MAX))?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT role, parts FROM turn JOIN message ON message.turn = turn.id
                 WHERE turn.session = ?1 AND turn.stop IS NOT NULL
                 ORDER BY turn.seq DESC, message.id DESC LIMIT ?2",
            )?;
            let mut messages = statement
                .query_map(params![session.as_str(), limit], |row| {
                    Ok(PastMessage { role: named(row, 0, Role::from_name)?, parts: json(row, 1)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            messages.reverse();
            Ok(messages)
        })
    }

    /// The newest turns first. `limit` is 1 to [`SESSION_PAGE_MAX`].
    pub fn turns(&self, session: &SessionId, limit: u32) -> Result<Vec<Turn>, SessionError> {
        invalid::page(limit, SESSION_PAGE_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, session, started, ended, stop, failure, models,
                        input, cached, cache_written, output, reasoning, cost
                 FROM turn WHERE session = ?1 ORDER BY seq DESC LIMIT ?2",
            )?;
            let turns = statement
                .query_map(params![session.as_str(), limit], read)?
                .collect::<Result<_, _>>()?;
            Ok(turns)
        })
    }
}

/// A stop reason's name, the same as in JSON.
fn name_of(stop: Stop) -> &'static str {
    match stop {
        Stop::EndTurn => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::MaxSteps => "max_steps",
        Stop::Refusal => "refusal",
        Stop::Cancelled => "cancelled",
    }
}

fn touch(db: &Connection, session: &SessionId, now_ms: u64) -> rusqlite::Result<usize> {
    db.prepare_cached("UPDATE session SET updated = ?2 WHERE id = ?1")?
        .execute(params![session.as_str(), int(now_ms)])
}

fn add_message(db: &Connection, turn: &TurnId, role: Role, parts: &[Part]) -> rusqlite::Result<()> {
    let parts = serde_json::to_string(parts)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    db.prepare_cached("INSERT INTO message (turn, role, parts) VALUES (?1, ?2, ?3)")?
        .execute(params![turn.as_str(), role.as_str(), parts])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Turn> {
    let stop = optional_text::<Stop>(row, 4)?.map(End::Stop);
    let failure = row.get::<_, Option<String>>(5)?.map(End::Failed);
    Ok(Turn {
        id: turn(row, 0)?,
        session: session(row, 1)?,
        started: uint(row.get(2)?),
        ended: row.get::<_, Option<i64>>(3)?.map(uint),
        end: stop.or(failure),
        models: json(row, 6)?,
        usage: usage(row, 7)?,
        cost: money(row.get(12)?),
    })
}
