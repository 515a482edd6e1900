//! Work items, shared between an agent and its user.
//!
//! Called by the `task` verbs and the command line. Table: `task`. Every call is for one agent; a
//! task of another agent is the same as an unknown one. There are no cycles: a parent must exist
//! when its child is made and never changes (and the schema checks that it is the older one).

use domain::limits::{PAGE_MAX, TASK_DETAIL_MAX_BYTES, TASK_TITLE_MAX_BYTES};
use domain::{AgentName, Quoted};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::column::{int, named, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid};

/// Tasks of one agent: a bound on what a looping guest can fill a disk with. Ten a day reach it
/// after a human life.
pub const TASKS_MAX: u64 = 100_000;

/// A task, opaque to guests. Decimal digits, so that a person can type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(i64);

crate::id::opaque!(TaskId);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Active,
    Blocked,
    Done,
    Failed,
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Active, Self::Blocked, Self::Done, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The reverse of `as_str`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    pub id: TaskId,
    /// One line, 1 to 256 bytes.
    pub title: String,
    /// At most 65,536 bytes.
    pub detail: String,
    pub status: Status,
    pub parent: Option<TaskId>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// When a field last changed; milliseconds since the Unix epoch.
    pub updated: u64,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub title: Option<String>,
    pub detail: Option<String>,
    pub status: Option<Status>,
}

#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("no task {}", Quoted(id))]
    NotFound { id: String },
    #[error("this agent has {TASKS_MAX} tasks, the most that are kept")]
    Full,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(TaskError);

/// The tasks of all agents. See [`Store::task`].
#[derive(Debug)]
pub struct Tasks<'a>(&'a Store);

impl Store {
    pub fn task(&self) -> Tasks<'_> {
        Tasks(self)
    }
}

impl Tasks<'_> {
    /// Creates an open task. Not idempotent.
    ///
    /// # Errors
    /// `NotFound` for a parent that the agent does not have.
    pub fn create(
        &self,
        agent: &AgentName,
        title: &str,
        detail: &str,
        parent: Option<&str>,
        now_ms: u64,
    ) -> Result<TaskId, TaskError> {
        check(Some(title), Some(detail))?;
        self.0.write(|db| {
            let parent = parent.map(|id| find(db, agent, id)).transpose()?;
            let count: i64 = db
                .prepare_cached("SELECT count(*) FROM task WHERE agent = ?1")?
                .query_row([agent.as_str()], |row| row.get(0))?;
            if uint(count) >= TASKS_MAX {
                return Err(TaskError::Full);
            }
            db.prepare_cached(
                "INSERT INTO task (agent, title, detail, status, parent, created, updated)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            )?
            .execute(params![
                agent.as_str(),
                title,
                detail,
                Status::Open.as_str(),
                parent.map(|task| task.id.0),
                int(now_ms),
            ])?;
            Ok(TaskId(db.last_insert_rowid()))
        })
    }

    /// Changes a task and returns it. Idempotent: what is as asked for already is not touched.
    pub fn update(
        &self,
        agent: &AgentName,
        id: &str,
        change: &Change,
        now_ms: u64,
    ) -> Result<Task, TaskError> {
        check(change.title.as_deref(), change.detail.as_deref())?;
        self.0.write(|db| {
            let old = find(db, agent, id)?;
            let new = Task {
                title: change.title.clone().unwrap_or_else(|| old.title.clone()),
                detail: change.detail.clone().unwrap_or_else(|| old.detail.clone()),
                status: change.status.unwrap_or(old.status),
                ..old.clone()
            };
            if new == old {
                return Ok(old);
            }
            db.prepare_cached(
                "UPDATE task SET title = ?2, detail = ?3, status = ?4, updated = ?5 WHERE id = ?1",
            )?
            .execute(params![
                new.id.0,
                new.title,
                new.detail,
                new.status.as_str(),
                int(now_ms)
            ])?;
            Ok(Task { updated: now_ms, ..new })
        })
    }

    pub fn get(&self, agent: &AgentName, id: &str) -> Result<Task, TaskError> {
        self.0.read(|db| find(db, agent, id))
    }

    /// Newest first, of one status or of all. `limit` is 1 to 100.
    pub fn list(
        &self,
        agent: &AgentName,
        status: Option<Status>,
        limit: u32,
    ) -> Result<Vec<Task>, TaskError> {
        invalid::page(limit, PAGE_MAX)?;
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, title, detail, status, parent, created, updated FROM task
                 WHERE agent = ?1 AND (?2 IS NULL OR status = ?2) ORDER BY id DESC LIMIT ?3",
            )?;
            let tasks = statement
                .query_map(params![agent.as_str(), status.map(Status::as_str), limit], task)?
                .collect::<Result<_, _>>()?;
            Ok(tasks)
        })
    }
}

fn check(title: Option<&str>, detail: Option<&str>) -> Result<(), Invalid> {
    if let Some(title) = title {
        invalid::line("title", title, 1, TASK_TITLE_MAX_BYTES)?;
    }
    if let Some(detail) = detail {
        invalid::bytes("detail", detail, 0, TASK_DETAIL_MAX_BYTES)?;
    }
    Ok(())
}

fn find(db: &Connection, agent: &AgentName, id: &str) -> Result<Task, TaskError> {
    let not_found = || TaskError::NotFound { id: id.to_owned() };
    let TaskId(number) = TaskId::parse(id).ok_or_else(not_found)?;
    db.prepare_cached(
        "SELECT id, title, detail, status, parent, created, updated FROM task
         WHERE id = ?1 AND agent = ?2",
    )?
    .query_row(params![number, agent.as_str()], task)
    .optional()?
    .ok_or_else(not_found)
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: TaskId(row.get(0)?),
        title: row.get(1)?,
        detail: row.get(2)?,
        status: named(row, 3, Status::from_name)?,
        parent: row.get::<_, Option<i64>>(4)?.map(TaskId),
        created: uint(row.get(5)?),
        updated: uint(row.get(6)?),
    })
}
