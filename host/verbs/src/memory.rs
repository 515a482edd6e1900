//! `xpressclaw:xclaw/memory`.

use bindings::xclaw::memory as wit;
use bindings::xclaw::types::Error;
use store::memory::{MemoryError, Note};

use crate::{VerbsView, broken, now_ms};

/// A search, as the contract has it: a question and some words more. Each word is a look-up.
const QUERY_MAX_BYTES: usize = 1_024;
/// Characters of a note in the event that tells of it.
const SUMMARY_CHARS: usize = 80;

impl wit::Host for VerbsView<'_> {
    async fn add(
        &mut self,
        text: String,
        tags: Vec<String>,
    ) -> wasmtime::Result<Result<String, Error>> {
        if let Err(refused) = self.0.allow("memory.add", &text).await {
            return Ok(Err(refused));
        }
        let added = self.0.store.memory().add(&self.0.agent, &text, &tags, now_ms());
        if added.is_ok() {
            self.0
                .changed("memory.add", text.chars().take(SUMMARY_CHARS).collect::<String>())
                .await;
        }
        Ok(added.map(|id| id.to_string()).map_err(error_out))
    }

    async fn search(
        &mut self,
        query: String,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Hit>, Error>> {
        if let Err(refused) = self.0.allow("memory.search", &query).await {
            return Ok(Err(refused));
        }
        if query.len() > QUERY_MAX_BYTES {
            return Ok(Err(Error::Invalid(format!(
                "`query` must have at most {QUERY_MAX_BYTES} bytes"
            ))));
        }
        let hits = self.0.store.memory().search(&self.0.agent, &query, limit);
        let out = |hit: store::memory::Hit| wit::Hit { note: note_out(hit.note), score: hit.score };
        Ok(hits.map(|hits| hits.into_iter().map(out).collect()).map_err(error_out))
    }

    async fn list_notes(
        &mut self,
        before: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Note>, Error>> {
        if let Err(refused) = self.0.allow("memory.list", "").await {
            return Ok(Err(refused));
        }
        let notes = self.0.store.memory().list(&self.0.agent, before.as_deref(), limit);
        Ok(notes.map(|notes| notes.into_iter().map(note_out).collect()).map_err(error_out))
    }

    async fn delete(&mut self, id: String) -> wasmtime::Result<Result<(), Error>> {
        if let Err(refused) = self.0.allow("memory.delete", &id).await {
            return Ok(Err(refused));
        }
        let deleted = self.0.store.memory().delete(&self.0.agent, &id);
        if deleted.is_ok() {
            self.0.changed("memory.delete", id).await;
        }
        Ok(deleted.map_err(error_out))
    }
}

fn note_out(note: Note) -> wit::Note {
    wit::Note { id: note.id.to_string(), text: note.text, tags: note.tags, created: note.created }
}

fn error_out(error: MemoryError) -> Error {
    match error {
        MemoryError::Invalid(invalid) => Error::Invalid(invalid.to_string()),
        MemoryError::NotFound { .. } => Error::NotFound(error.to_string()),
        MemoryError::Full => Error::Other(error.to_string()),
        MemoryError::Database(error) => broken(&error),
    }
}
