//! Sessions, their turns and what was said in them.
//!
//! Called by the session crate around each turn, and by the command line's lists. Tables:
//! `session`, `turn`, `message`. It records; who may run a turn now, and what the harness keeps in
//! `/state`, is not known here.

mod turn;

pub use turn::{End, PastMessage, Role, Turn, TurnEnd};

use domain::{AgentName, SessionId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::column::{agent, int, session, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid};

/// One line of a list.
pub const TITLE_MAX_BYTES: usize = 256;
/// Sessions or turns of one answer.
pub const SESSION_PAGE_MAX: u32 = 1_000;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    pub id: SessionId,
    pub agent: AgentName,
    pub harness: String,
    /// Of the harness component that ran last.
    pub digest: Option<String>,
    /// `name@digest` of each middleware that stood before it then, the nearest to the harness
    /// first, with spaces between; empty for none.
    pub middleware: String,
    pub model: String,
    pub title: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// When it was last opened, or a turn of it began or ended.
    pub updated: u64,
    /// Turns that ended, in whatever way.
    pub turns: u64,
}

impl Session {
    /// Whether a turn ended before.
    pub fn resumed(&self) -> bool {
        self.turns > 0
    }
}

/// What a session is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    pub id: &'a SessionId,
    pub agent: &'a AgentName,
    pub harness: &'a str,
    pub digest: Option<&'a str>,
    /// As in [`Session::middleware`].
    pub middleware: &'a str,
    pub model: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("no session `{0}`")]
    NotFound(SessionId),
    #[error("session `{id}` belongs to agent `{agent}`; name another session")]
    OtherAgent { id: SessionId, agent: AgentName },
    #[error("session `{id}` was begun with the harness `{harness}`; name another session")]
    OtherHarness { id: SessionId, harness: String },
    #[error("no turn `{0}`")]
    TurnNotFound(domain::TurnId),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(SessionError);

/// The sessions of all agents. See [`Store::session`].
#[derive(Debug)]
pub struct Sessions<'a>(&'a Store);

impl Store {
    pub fn session(&self) -> Sessions<'_> {
        Sessions(self)
    }
}

impl Sessions<'_> {
    /// Creates a session, or continues one: then its model, digest and middleware become the given ones.
    /// Idempotent.
    ///
    /// # Errors
    /// `OtherAgent` and `OtherHarness`: neither can read the other's state.
    pub fn open(&self, opening: &Opening<'_>, now_ms: u64) -> Result<Session, SessionError> {
        self.0.write(|db| {
            if let Some(found) = find(db, opening.id)? {
                let id = found.id;
                if found.agent != *opening.agent {
                    return Err(SessionError::OtherAgent { id, agent: found.agent });
                }
                if found.harness != opening.harness {
                    return Err(SessionError::OtherHarness { id, harness: found.harness });
                }
            }
            db.prepare_cached(
                "INSERT INTO session (id, agent, harness, digest, model, created, updated, middleware)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
                 ON CONFLICT DO UPDATE
                 SET digest = ?4, model = ?5, updated = ?6, middleware = ?7",
            )?
            .execute(params![
                opening.id.as_str(),
                opening.agent.as_str(),
                opening.harness,
                opening.digest,
                opening.model,
                int(now_ms),
                opening.middleware,
            ])?;
            find(db, opening.id)?.ok_or_else(|| SessionError::NotFound(opening.id.clone()))
        })
    }

    pub fn get(&self, id: &SessionId) -> Result<Session, SessionError> {
        self.0.read(|db| find(db, id)?.ok_or_else(|| SessionError::NotFound(id.clone())))
    }

    /// Gives a session a title: one line of 1 to 256 bytes. Idempotent.
    pub fn rename(&self, id: &SessionId, title: &str) -> Result<(), SessionError> {
        invalid::line("title", title, 1, TITLE_MAX_BYTES)?;
        self.0.write(|db| {
            let found = db
                .prepare_cached("UPDATE session SET title = ?2 WHERE id = ?1")?
                .execute(params![id.as_str(), title])?;
            if found == 0 { Err(SessionError::NotFound(id.clone())) } else { Ok(()) }
        })
    }

    /// The last used first, of one agent or of all. `limit` is 1 to [`SESSION_PAGE_MAX`].
    pub fn list(
        &self,
        agent: Option<&AgentName>,
        limit: u32,
    ) -> Result<Vec<Session>, SessionError> {
        invalid::page(limit, SESSION_PAGE_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, agent, harness, digest, model, title, created, updated,
                        (SELECT count(ended) FROM turn WHERE turn.session = session.id), middleware
                 FROM session WHERE ?1 IS NULL OR agent = ?1
                 ORDER BY updated DESC, id DESC LIMIT ?2",
            )?;
            let sessions = statement
                .query_map(params![agent.map(AgentName::as_str), limit], read)?
                .collect::<Result<_, _>>()?;
            Ok(sessions)
        })
    }
}

fn find(db: &Connection, id: &SessionId) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(
        "SELECT id, agent, harness, digest, model, title, created, updated,
                (SELECT count(ended) FROM turn WHERE turn.session = session.id), middleware
         FROM session WHERE id = ?1",
    )?
    .query_row([id.as_str()], read)
    .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: session(row, 0)?,
        agent: agent(row, 1)?,
        harness: row.get(2)?,
        digest: row.get(3)?,
        model: row.get(4)?,
        title: row.get(5)?,
        created: uint(row.get(6)?),
        updated: uint(row.get(7)?),
        turns: uint(row.get(8)?),
        middleware: row.get(9)?,
    })
}
