//! What a user allowed for longer than once, and the audit log of every decision.
//!
//! Called by the `approvals` crate where a call crosses the sandbox, and by the command line's
//! lists. Tables: `approval`, `audit`. It records; what a rule says, and who is asked, is not known
//! here. The audit log is append-only: the schema refuses to change or delete a row.

use domain::{ActionKind, AgentName, SessionId, TurnId, Verdict};
use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::column::{agent, int, named, optional_turn, session, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid};
use crate::log::cut;

/// The longest subject that can be remembered: the longest script that Linux takes.
pub const SUBJECT_MAX_BYTES: usize = 131_072;
/// Of a subject in the audit log: enough to see what it was, and a bound on what a guest can write.
pub const AUDIT_SUBJECT_MAX_BYTES: usize = 4_096;
/// Rows of one answer.
pub const APPROVAL_PAGE_MAX: u32 = 10_000;

/// What was allowed for longer; typed by a person to forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApprovalId(i64);

crate::id::opaque!(ApprovalId);

/// How long an approval holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held<'a> {
    Session(&'a SessionId),
    /// For the agent, in all of its sessions.
    ForGood,
}

/// Something that need not be asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub agent: AgentName,
    /// `None`: for good.
    pub session: Option<SessionId>,
    pub kind: ActionKind,
    /// Exact; a guest's text, which a terminal must filter.
    pub subject: String,
    /// Who allowed it.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

/// One decision.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub agent: &'a AgentName,
    pub session: &'a SessionId,
    pub turn: Option<&'a TurnId>,
    pub kind: ActionKind,
    /// Cut when it is long.
    pub subject: &'a str,
    pub verdict: Verdict,
    pub by: &'a str,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// Grows with time.
    pub id: u64,
    pub agent: AgentName,
    pub session: SessionId,
    pub turn: Option<TurnId>,
    pub kind: ActionKind,
    /// A guest's text, which a terminal must filter.
    pub subject: String,
    pub verdict: Verdict,
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("nothing is remembered under `{id}`")]
    NotFound { id: String },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(ApprovalError);

/// The approvals of all agents. See [`Store::approval`].
#[derive(Debug)]
pub struct Approvals<'a>(&'a Store);

impl Store {
    pub fn approval(&self) -> Approvals<'_> {
        Approvals(self)
    }
}

impl Approvals<'_> {
    /// Remembers an exact subject of at most [`SUBJECT_MAX_BYTES`]. Idempotent: what is remembered
    /// already keeps its id, its time and who allowed it.
    pub fn remember(
        &self,
        agent: &AgentName,
        held: Held<'_>,
        kind: ActionKind,
        subject: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<(), ApprovalError> {
        invalid::bytes("subject", subject, 1, SUBJECT_MAX_BYTES)?;
        let session = match held {
            Held::Session(session) => session.as_str(),
            Held::ForGood => "",
        };
        self.0.write(|db| {
            db.prepare_cached(
                "INSERT INTO approval (agent, session, kind, subject, by, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                agent.as_str(),
                session,
                kind.as_str(),
                subject,
                by,
                int(now_ms)
            ])?;
            Ok(())
        })
    }

    /// The approval that covers this very subject in this session, the one for good first.
    pub fn find(
        &self,
        agent: &AgentName,
        session: &SessionId,
        kind: ActionKind,
        subject: &str,
    ) -> Result<Option<Approval>, ApprovalError> {
        self.0.read(|db| {
            let found = db
                .prepare_cached(
                    "SELECT id, agent, session, kind, subject, by, at FROM approval
                     WHERE agent = ?1 AND session IN ('', ?2) AND kind = ?3 AND subject = ?4
                     ORDER BY session LIMIT 1",
                )?
                .query_row(
                    params![agent.as_str(), session.as_str(), kind.as_str(), subject],
                    approval,
                )
                .optional()?;
            Ok(found)
        })
    }

    /// What is remembered, of one agent or of all, the newest first. `limit` is 1 to
    /// [`APPROVAL_PAGE_MAX`].
    pub fn list(
        &self,
        agent: Option<&AgentName>,
        limit: u32,
    ) -> Result<Vec<Approval>, ApprovalError> {
        invalid::page(limit, APPROVAL_PAGE_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, agent, session, kind, subject, by, at FROM approval
                 WHERE ?1 IS NULL OR agent = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let rows = statement
                .query_map(params![agent.map(AgentName::as_str), limit], approval)?
                .collect::<Result<_, _>>()?;
            Ok(rows)
        })
    }

    /// Forgets one; it is asked for again from the next call on.
    pub fn forget(&self, id: &str) -> Result<Approval, ApprovalError> {
        let not_found = || ApprovalError::NotFound { id: id.to_owned() };
        let row = ApprovalId::parse(id).ok_or_else(not_found)?;
        self.0.write(|db| {
            db.prepare_cached(
                "DELETE FROM approval WHERE id = ?1
                 RETURNING id, agent, session, kind, subject, by, at",
            )?
            .query_row([row.0], approval)
            .optional()?
            .ok_or_else(not_found)
        })
    }

    /// Adds a row to the audit log.
    pub fn record(&self, decision: &Decision<'_>, now_ms: u64) -> Result<(), ApprovalError> {
        let subject = cut(decision.subject, AUDIT_SUBJECT_MAX_BYTES);
        self.0.write(|db| {
            db.prepare_cached(
                "INSERT INTO audit (agent, session, turn, kind, subject, verdict, by, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                decision.agent.as_str(),
                decision.session.as_str(),
                decision.turn.map(TurnId::as_str),
                decision.kind.as_str(),
                subject,
                decision.verdict.as_str(),
                decision.by,
                int(now_ms),
            ])?;
            Ok(())
        })
    }

    /// The newest `limit` decisions (1 to [`APPROVAL_PAGE_MAX`]) of an agent and a session, or of
    /// all, oldest first.
    pub fn history(
        &self,
        agent: Option<&AgentName>,
        session: Option<&SessionId>,
        limit: u32,
    ) -> Result<Vec<Audited>, ApprovalError> {
        invalid::page(limit, APPROVAL_PAGE_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, agent, session, turn, kind, subject, verdict, by, at FROM audit
                 WHERE (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR session = ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let mut rows = statement
                .query_map(
                    params![agent.map(AgentName::as_str), session.map(SessionId::as_str), limit],
                    audited,
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            rows.reverse();
            Ok(rows)
        })
    }
}

fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let for_good = row.get_ref(2)?.as_str().is_ok_and(str::is_empty);
    Ok(Approval {
        id: ApprovalId(row.get(0)?),
        agent: agent(row, 1)?,
        session: if for_good { None } else { Some(session(row, 2)?) },
        kind: named(row, 3, ActionKind::from_name)?,
        subject: row.get(4)?,
        by: row.get(5)?,
        at: uint(row.get(6)?),
    })
}

fn audited(row: &Row<'_>) -> rusqlite::Result<Audited> {
    Ok(Audited {
        id: uint(row.get(0)?),
        agent: agent(row, 1)?,
        session: session(row, 2)?,
        turn: optional_turn(row, 3)?,
        kind: named(row, 4, ActionKind::from_name)?,
        subject: row.get(5)?,
        verdict: named(row, 6, Verdict::from_name)?,
        by: row.get(7)?,
        at: uint(row.get(8)?),
    })
}
