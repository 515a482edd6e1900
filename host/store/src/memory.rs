//! Notes of an agent that outlive a session, with full-text search.
//!
//! Called by the `memory` verbs and the command line. Tables: `note`, and `note_text`, the FTS5
//! index over it. Every call is for one agent; no agent sees another's notes, and an id of another
//! agent is the same as an unknown one.

mod query;

use domain::limits::{NOTE_MAX_BYTES, NOTE_TAG_MAX_BYTES, NOTE_TAGS_MAX, PAGE_MAX};
use domain::{AgentName, Quoted};
use rusqlite::{Row, params};

use crate::column::{int, json, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid, Limit};

/// Notes of one agent: a bound on what a looping guest can fill a disk with (6 GiB at worst, a
/// few MB as notes are written). An agent that adds one a minute gets there after ten weeks.
pub const NOTES_MAX: u64 = 100_000;

/// A word in a tag counts this many times one in the text: tags are chosen, text is written.
const TAG_WEIGHT: f64 = 2.0;

/// A note, opaque to guests. Decimal digits, so that a person can type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoteId(i64);

crate::id::opaque!(NoteId);

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    pub id: NoteId,
    pub text: String,
    pub tags: Vec<String>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Hit {
    pub note: Note,
    /// Greater is better; comparable within one answer only.
    pub score: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("no note {}", Quoted(id))]
    NotFound { id: String },
    #[error("this agent has {NOTES_MAX} notes, the most that are kept; delete some first")]
    Full,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(MemoryError);

/// The memory of all agents. See [`Store::memory`].
#[derive(Debug)]
pub struct Memory<'a>(&'a Store);

impl Store {
    pub fn memory(&self) -> Memory<'_> {
        Memory(self)
    }
}

impl Memory<'_> {
    /// Stores a note. `text` is 1 to 65,536 bytes, at most 16 tags of 1 to 64 bytes.
    pub fn add(
        &self,
        agent: &AgentName,
        text: &str,
        tags: &[String],
        now_ms: u64,
    ) -> Result<NoteId, MemoryError> {
        invalid::bytes("text", text, 1, NOTE_MAX_BYTES)?;
        invalid::items("tags", tags.len(), NOTE_TAGS_MAX)?;
        for tag in tags {
            invalid::bytes("tags", tag, 1, NOTE_TAG_MAX_BYTES)?;
        }
        let tags = serde_json::Value::from(tags).to_string();
        self.0.write(|db| {
            let count: i64 = db
                .prepare_cached("SELECT count(*) FROM note WHERE agent = ?1")?
                .query_row([agent.as_str()], |row| row.get(0))?;
            if uint(count) >= NOTES_MAX {
                return Err(MemoryError::Full);
            }
            db.prepare_cached(
                "INSERT INTO note (agent, text, tags, created) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![agent.as_str(), text, tags, int(now_ms)])?;
            Ok(NoteId(db.last_insert_rowid()))
        })
    }

    /// Full-text search, best first. Every word counts and none is required; accents and case do
    /// not matter, and a word of three letters or more also matches longer ones that begin with it.
    /// A query without any word finds nothing. `limit` is 1 to 100.
    pub fn search(
        &self,
        agent: &AgentName,
        query: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, MemoryError> {
        invalid::page(limit, PAGE_MAX)?;
        let Some(expression) = query::expression(query)? else { return Ok(Vec::new()) };
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT note.id, note.text, note.tags, note.created,
                        -bm25(note_text, 1.0, ?4) AS score
                 FROM note_text JOIN note ON note.id = note_text.rowid
                 WHERE note_text MATCH ?1 AND note.agent = ?2
                 ORDER BY score DESC, note.id DESC LIMIT ?3",
            )?;
            let hits = statement
                .query_map(params![expression, agent.as_str(), limit, TAG_WEIGHT], |row| {
                    Ok(Hit { note: note(row)?, score: row.get(4)? })
                })?
                .collect::<Result<_, _>>()?;
            Ok(hits)
        })
    }

    /// Newest first. `before` is the last note of the previous page. `limit` is 1 to 100.
    pub fn list(
        &self,
        agent: &AgentName,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Note>, MemoryError> {
        invalid::page(limit, PAGE_MAX)?;
        let before = match before {
            Some(id) => {
                let unknown = || Invalid { argument: "before", limit: Limit::KnownId };
                NoteId::parse(id).ok_or_else(unknown)?.0
            }
            None => i64::MAX,
        };
        self.0.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, text, tags, created FROM note
                 WHERE agent = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            )?;
            let notes = statement
                .query_map(params![agent.as_str(), before, limit], note)?
                .collect::<Result<_, _>>()?;
            Ok(notes)
        })
    }

    /// Removes a note; `NotFound` when the agent has none of that id (any more).
    pub fn delete(&self, agent: &AgentName, id: &str) -> Result<(), MemoryError> {
        let not_found = || MemoryError::NotFound { id: id.to_owned() };
        let note = NoteId::parse(id).ok_or_else(not_found)?;
        self.0.write(|db| {
            let removed = db
                .prepare_cached("DELETE FROM note WHERE id = ?1 AND agent = ?2")?
                .execute(params![note.0, agent.as_str()])?;
            if removed == 0 { Err(not_found()) } else { Ok(()) }
        })
    }
}

fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note {
        id: NoteId(row.get(0)?),
        text: row.get(1)?,
        tags: json(row, 2)?,
        created: uint(row.get(3)?),
    })
}
