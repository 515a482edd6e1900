//! `task_*`: work items that the agent shares with its user.

use serde_json::{Value, json};

use super::memory::lines;
use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;
use crate::xpressclaw::xclaw::task::{self, Change, Status, Task};

const STATES: [(&str, Status); 6] = [
    ("open", Status::Open),
    ("active", Status::Active),
    ("blocked", Status::Blocked),
    ("done", Status::Done),
    ("failed", Status::Failed),
    ("cancelled", Status::Cancelled),
];
/// Tasks in one answer, and at most.
const TASKS: usize = 20;
const TASKS_MAX: usize = 100;

pub static CREATE: Tool = Tool {
    name: "task_create",
    description: "Create a task that the user sees, for work that outlasts this conversation. \
                  Returns its id.",
    parameters: r#"{"type":"object","properties":{"title":{"type":"string","description":"One line"},"detail":{"type":"string"},"parent":{"type":"string","description":"The id of the task that this is a part of"}},"required":["title"],"additionalProperties":false}"#,
    kind: Kind::Other,
    shows: "title",
    way: Way::Here(create),
};

pub static UPDATE: Tool = Tool {
    name: "task_update",
    description: "Change a task. What is left out stays as it is.",
    parameters: r#"{"type":"object","properties":{"id":{"type":"string"},"status":{"enum":["open","active","blocked","done","failed","cancelled"]},"title":{"type":"string"},"detail":{"type":"string"}},"required":["id"],"additionalProperties":false}"#,
    kind: Kind::Other,
    shows: "id",
    way: Way::Here(update),
};

pub static LIST: Tool = Tool {
    name: "task_list",
    description: "List tasks, newest first, of one status or of all.",
    parameters: r#"{"type":"object","properties":{"status":{"enum":["open","active","blocked","done","failed","cancelled"]},"limit":{"type":"integer","minimum":1,"maximum":100}},"additionalProperties":false}"#,
    kind: Kind::Read,
    shows: "status",
    way: Way::Here(list),
};

fn create(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let detail = args.maybe_text("detail")?.unwrap_or_default();
    let id = task::create(args.text("title")?, detail, args.maybe_text("parent")?)?;
    Ok(Outcome::text(format!("created task {id}")))
}

fn update(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let owned = |name| args.maybe_text(name).map(|text| text.map(str::to_owned));
    let change = Change { title: owned("title")?, detail: owned("detail")?, status: status(args)? };
    Ok(Outcome::text(shown(&task::update(args.text("id")?, &change)?).to_string()))
}

fn list(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    let limit = u32::try_from(args.count("limit", TASKS, TASKS_MAX)?).unwrap_or(u32::MAX);
    let tasks: Vec<Value> = task::list_tasks(status(args)?, limit)?.iter().map(shown).collect();
    Ok(Outcome::text(if tasks.is_empty() { "no tasks".to_owned() } else { lines(&tasks) }))
}

fn status(args: &Args) -> Result<Option<Status>, Failure> {
    let Some(wanted) = args.maybe_text("status")? else { return Ok(None) };
    match STATES.iter().find(|(name, _)| *name == wanted) {
        Some((_, status)) => Ok(Some(*status)),
        None => {
            let names = STATES.map(|(name, _)| name).join(", ");
            Err(format!("the argument status must be one of {names}").into())
        }
    }
}

fn shown(task: &Task) -> Value {
    let status = STATES.iter().find(|(_, status)| *status == task.status).map(|(name, _)| name);
    json!({
        "id": task.id, "title": task.title, "detail": task.detail, "status": status,
        "parent": task.parent,
    })
}
