//! `memory_*`: notes that outlive the session.

use serde_json::{Value, json};

use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;
use crate::xpressclaw::xclaw::memory::{self, Note};

/// Notes in one answer, and at most.
const NOTES: usize = 10;
const NOTES_MAX: usize = 100;

pub static ADD: Tool = Tool {
    name: "memory_add",
    description: "Store a note that outlives this conversation: one fact with its reason, never a \
                  secret. Returns its id.",
    parameters: r#"{"type":"object","properties":{"text":{"type":"string"},"tags":{"type":"array","items":{"type":"string"},"maxItems":16}},"required":["text"],"additionalProperties":false}"#,
    kind: Kind::Other,
    shows: "text",
    way: Way::Here(add),
};

pub static SEARCH: Tool = Tool {
    name: "memory_search",
    description: "Search stored notes by words, best match first.",
    parameters: r#"{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":100}},"required":["query"],"additionalProperties":false}"#,
    kind: Kind::Search,
    shows: "query",
    way: Way::Here(search),
};

pub static LIST: Tool = Tool {
    name: "memory_list",
    description: "List stored notes, newest first; for more pass the last note's id as before.",
    parameters: r#"{"type":"object","properties":{"before":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":100}},"additionalProperties":false}"#,
    kind: Kind::Read,
    shows: "before",
    way: Way::Here(list),
};

pub static DELETE: Tool = Tool {
    name: "memory_delete",
    description: "Delete a stored note by its id.",
    parameters: r#"{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false}"#,
    kind: Kind::Delete,
    shows: "id",
    way: Way::Here(delete),
};

fn add(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let id = memory::add(args.text("text")?, &args.texts("tags")?)?;
    Ok(Outcome::text(format!("added note {id}")))
}

fn search(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let hits = memory::search(args.text("query")?, limit(args)?)?;
    Ok(shown(hits.iter().map(|hit| &hit.note)))
}

fn list(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let notes = memory::list_notes(args.maybe_text("before")?, limit(args)?)?;
    Ok(shown(notes.iter()))
}

fn delete(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let id = args.text("id")?;
    memory::delete(id)?;
    Ok(Outcome::text(format!("deleted note {id}")))
}

fn limit(args: &Args) -> Result<u32, Failure> {
    let limit = args.count("limit", NOTES, NOTES_MAX)?;
    Ok(u32::try_from(limit).unwrap_or(u32::MAX))
}

fn shown<'a>(notes: impl Iterator<Item = &'a Note>) -> Outcome {
    let notes: Vec<Value> =
        notes.map(|note| json!({"id": note.id, "text": note.text, "tags": note.tags})).collect();
    Outcome::text(if notes.is_empty() { "no notes".to_owned() } else { lines(&notes) })
}

/// One value a line: a model reads it as well as anything, and it has no white space to pay for.
pub fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}
