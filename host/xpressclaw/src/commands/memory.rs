//! `xpressclaw memory`: the notes of an agent.

use anyhow::{Error, Result};
use domain::AgentName;
use serde::Serialize;
use store::memory::{MemoryError, Note, NoteId};

use super::table::{Align, Table};
use super::{Context, agents, now_ms, output, time};
use crate::cli::{AgentArgs, Format, MemoryCommand};
use crate::exit::{Exit, Failure};

pub fn run(context: &Context, command: MemoryCommand) -> Result<Exit> {
    match command {
        MemoryCommand::List { agent, limit } => list(context, &agent, limit),
        MemoryCommand::Search { query, agent, limit } => {
            search(context, &agent, &query.join(" "), limit)
        }
        MemoryCommand::Add { text, tag, agent } => add(context, &agent, &text, &tag),
        MemoryCommand::Delete { id, agent } => delete(context, &agent, &id),
    }
}

/// A note as JSON.
#[derive(Serialize)]
struct Row {
    agent: AgentName,
    #[serde(flatten)]
    note: Note,
    /// Only of a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

/// A note that was added or deleted, as JSON.
#[derive(Serialize)]
struct Change<'a> {
    agent: AgentName,
    id: &'a str,
    change: &'static str,
}

fn list(context: &Context, args: &AgentArgs, limit: u32) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let agent = agents::chosen(args.agent.as_ref(), context, Some(&store))?;
    let notes = store.memory().list(&agent, None, limit).map_err(failure)?;
    if notes.is_empty() {
        output::note(&format!("agent `{agent}` has no notes"));
    }
    let row = |note| Row { agent: agent.clone(), note, score: None };
    print(notes.into_iter().map(row).collect(), args.format)
}

fn search(context: &Context, args: &AgentArgs, query: &str, limit: u32) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let agent = agents::chosen(args.agent.as_ref(), context, Some(&store))?;
    let hits = store.memory().search(&agent, query, limit).map_err(failure)?;
    if hits.is_empty() {
        output::note(&format!("no note of agent `{agent}` holds any of these words"));
    }
    let row = |hit: store::memory::Hit| Row {
        agent: agent.clone(),
        note: hit.note,
        score: Some(hit.score),
    };
    print(hits.into_iter().map(row).collect(), args.format)
}

fn print(rows: Vec<Row>, format: Format) -> Result<Exit> {
    if format == Format::Json {
        output::print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("ADDED", Align::Left),
        ("TAGS", Align::Left),
        ("NOTE", Align::Left),
    ]);
    for Row { note, .. } in rows {
        table.row([
            note.id.to_string().into(),
            time::local(note.created).into(),
            note.tags.join(", ").into(),
            note.text.into(),
        ]);
    }
    output::print(&table.render())?;
    Ok(Exit::Ok)
}

fn add(context: &Context, args: &AgentArgs, text: &str, tags: &[String]) -> Result<Exit> {
    let store = context.stored_quietly()?;
    let agent = agents::chosen(args.agent.as_ref(), context, store.as_ref())?;
    let store = store.map_or_else(|| context.store(), Ok)?;
    let id = store.memory().add(&agent, text, tags, now_ms()).map_err(failure)?;
    changed(agent, &id, "added", args.format)
}

fn delete(context: &Context, args: &AgentArgs, id: &str) -> Result<Exit> {
    let Some(store) = context.stored_quietly()? else { return Err(unknown(id)) };
    let agent = agents::chosen(args.agent.as_ref(), context, Some(&store))?;
    store.memory().delete(&agent, id).map_err(failure)?;
    let id = NoteId::parse(id).ok_or_else(|| unknown(id))?;
    changed(agent, &id, "deleted", args.format)
}

/// Prints the id: what a script needs of it.
fn changed(agent: AgentName, id: &NoteId, change: &'static str, format: Format) -> Result<Exit> {
    let id = id.to_string();
    match format {
        Format::Json => output::print_json(&[Change { agent, id: &id, change }])?,
        Format::Text => output::print(&format!("{id}\n"))?,
    }
    Ok(Exit::Ok)
}

fn unknown(id: &str) -> Error {
    failure(MemoryError::NotFound { id: id.into() })
}

fn failure(error: MemoryError) -> Error {
    match error {
        MemoryError::Invalid(invalid) => Failure::usage(invalid.to_string()).into(),
        MemoryError::NotFound { .. } => Failure::new(Exit::Failed, error.to_string())
            .hint("`xpressclaw memory list` shows the ids; `--agent` says whose note it is")
            .into(),
        error => error.into(),
    }
}
