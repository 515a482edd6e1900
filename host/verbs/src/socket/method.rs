//! From a method's name and parameters to the verb, and its result as JSON.

use bindings::xclaw::types::Error;
use bindings::xclaw::{ask, budget, log, memory, task, version};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::wire::Failure;
use crate::VerbsView;

/// Items of a list, where the caller does not say.
const LIMIT: u32 = 20;

/// What a verb answers: its own error, inside of one of the host's.
type Answered<T> = wasmtime::Result<Result<T, Error>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct None {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    text: String,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    before: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    title: String,
    detail: Option<String>,
    parent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: String,
    title: Option<String>,
    detail: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tasks {
    status: Option<Status>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    level: Level,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    question: String,
    choices: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Open,
    Active,
    Blocked,
    Done,
    Failed,
    Cancelled,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

pub(super) async fn call(
    view: &mut VerbsView<'_>,
    method: &str,
    params: Map<String, Value>,
) -> Result<Value, Failure> {
    match method {
        "memory.add" => {
            let Add { text, tags } = read(params)?;
            let id = done(memory::Host::add(view, text, tags.unwrap_or_default()).await)?;
            Ok(json!(id))
        }
        "memory.search" => {
            let Search { query, limit } = read(params)?;
            let hits = done(memory::Host::search(view, query, limit.unwrap_or(LIMIT)).await)?;
            let hit = |hit: memory::Hit| json!({"note": note(hit.note), "score": hit.score});
            Ok(hits.into_iter().map(hit).collect())
        }
        "memory.list" => {
            let List { before, limit } = read(params)?;
            let notes = memory::Host::list_notes(view, before, limit.unwrap_or(LIMIT)).await;
            Ok(done(notes)?.into_iter().map(note).collect())
        }
        "memory.delete" => {
            let Id { id } = read(params)?;
            done(memory::Host::delete(view, id).await)?;
            Ok(Value::Null)
        }
        "task.create" => {
            let Create { title, detail, parent } = read(params)?;
            let id = task::Host::create(view, title, detail.unwrap_or_default(), parent).await;
            Ok(json!(done(id)?))
        }
        "task.update" => {
            let Update { id, title, detail, status } = read(params)?;
            let change = task::Change { title, detail, status: status.map(status_in) };
            Ok(task_out(done(task::Host::update(view, id, change).await)?))
        }
        "task.get" => {
            let Id { id } = read(params)?;
            Ok(task_out(done(task::Host::get(view, id).await)?))
        }
        "task.list" => {
            let Tasks { status, limit } = read(params)?;
            let status = status.map(status_in);
            let tasks = task::Host::list_tasks(view, status, limit.unwrap_or(LIMIT)).await;
            Ok(done(tasks)?.into_iter().map(task_out).collect())
        }
        "budget.status" => {
            let None {} = read(params)?;
            Ok(host(budget::Host::status(view).await)?.into_iter().map(line).collect())
        }
        "log.write" => {
            let Write { level, message } = read(params)?;
            host(log::Host::write(view, level_in(level), message).await)?;
            Ok(Value::Null)
        }
        "ask" => {
            let Ask { question, choices } = read(params)?;
            Ok(json!(done(ask::Host::ask(view, question, choices.unwrap_or_default()).await)?))
        }
        "version.get" => {
            let None {} = read(params)?;
            let version::Version { host: program, contract } =
                host(version::Host::get(view).await)?;
            Ok(json!({"host": program, "contract": contract}))
        }
        _ => Err(Failure::method(method)),
    }
}

fn read<T: DeserializeOwned>(params: Map<String, Value>) -> Result<T, Failure> {
    serde_json::from_value(Value::Object(params)).map_err(|error| Failure::params(&error))
}

fn done<T>(answered: Answered<T>) -> Result<T, Failure> {
    host(answered)?.map_err(Failure::from)
}

fn host<T>(answered: wasmtime::Result<T>) -> Result<T, Failure> {
    answered.map_err(|error| {
        tracing::error!(%error, "a verb failed in the host");
        Failure::host()
    })
}

fn note(note: memory::Note) -> Value {
    let memory::Note { id, text, tags, created } = note;
    json!({"id": id, "text": text, "tags": tags, "created": created})
}

fn task_out(task: task::Task) -> Value {
    let task::Task { id, title, detail, status, parent, created, updated } = task;
    let status = match status {
        task::Status::Open => "open",
        task::Status::Active => "active",
        task::Status::Blocked => "blocked",
        task::Status::Done => "done",
        task::Status::Failed => "failed",
        task::Status::Cancelled => "cancelled",
    };
    json!({
        "id": id, "title": title, "detail": detail, "status": status, "parent": parent,
        "created": created, "updated": updated,
    })
}

fn line(line: budget::Line) -> Value {
    let budget::Line { scope, window, cap, settled, reserved, resets_at } = line;
    let window = match window {
        budget::Window::Task => "task",
        budget::Window::Daily => "daily",
        budget::Window::Weekly => "weekly",
        budget::Window::Monthly => "monthly",
        budget::Window::Total => "total",
    };
    json!({
        "scope": scope, "window": window, "cap": cap, "settled": settled, "reserved": reserved,
        "resets_at": resets_at,
    })
}

fn status_in(status: Status) -> task::Status {
    match status {
        Status::Open => task::Status::Open,
        Status::Active => task::Status::Active,
        Status::Blocked => task::Status::Blocked,
        Status::Done => task::Status::Done,
        Status::Failed => task::Status::Failed,
        Status::Cancelled => task::Status::Cancelled,
    }
}

fn level_in(level: Level) -> log::Level {
    match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    }
}
