//! `xpressclaw tasks`: the work items of an agent.

use anstyle::Style;
use anyhow::{Error, Result};
use domain::AgentName;
use serde::Serialize;
use store::task::{Change, Status, Task, TaskError};

use super::table::{Align, Cell, Table};
use super::{Context, agents, now_ms, output, time};
use crate::cli::{AgentArgs, Format, TasksCommand};
use crate::exit::{Exit, Failure};
use crate::render::{BOLD, DIM, RED, YELLOW};

pub fn run(context: &Context, command: TasksCommand) -> Result<Exit> {
    match command {
        TasksCommand::List { agent, status, limit } => list(context, &agent, status, limit),
        TasksCommand::Create { title, detail, agent } => create(context, &agent, &title, &detail),
        TasksCommand::Update { id, status, title, detail, agent } => {
            update(context, &agent, &id, &Change { title, detail, status })
        }
    }
}

/// A task as JSON.
#[derive(Serialize)]
struct Row {
    agent: AgentName,
    #[serde(flatten)]
    task: Task,
}

fn list(context: &Context, args: &AgentArgs, status: Option<Status>, limit: u32) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let agent = agents::chosen(args.agent.as_ref(), context, Some(&store))?;
    let tasks = store.task().list(&agent, status, limit).map_err(failure)?;
    if tasks.is_empty() {
        let which =
            status.map_or(String::new(), |status| format!(" of status {}", status.as_str()));
        output::note(&format!("agent `{agent}` has no tasks{which}"));
    }
    print(tasks, &agent, args.format)
}

fn create(context: &Context, args: &AgentArgs, title: &str, detail: &str) -> Result<Exit> {
    let store = context.stored_quietly()?;
    let agent = agents::chosen(args.agent.as_ref(), context, store.as_ref())?;
    let store = store.map_or_else(|| context.store(), Ok)?;
    let id = store.task().create(&agent, title, detail, None, now_ms()).map_err(failure)?;
    match args.format {
        Format::Json => {
            let task = store.task().get(&agent, &id.to_string()).map_err(failure)?;
            print(vec![task], &agent, args.format)
        }
        // The id: what a script needs of it.
        Format::Text => {
            output::print(&format!("{id}\n"))?;
            Ok(Exit::Ok)
        }
    }
}

fn update(context: &Context, args: &AgentArgs, id: &str, change: &Change) -> Result<Exit> {
    if *change == Change::default() {
        let failure = Failure::usage("nothing is to be changed");
        return Err(failure.hint("give `--status`, `--title` or `--detail`").into());
    }
    let Some(store) = context.stored_quietly()? else {
        return Err(failure(TaskError::NotFound { id: id.into() }));
    };
    let agent = agents::chosen(args.agent.as_ref(), context, Some(&store))?;
    let task = store.task().update(&agent, id, change, now_ms()).map_err(failure)?;
    print(vec![task], &agent, args.format)
}

fn print(tasks: Vec<Task>, agent: &AgentName, format: Format) -> Result<Exit> {
    if format == Format::Json {
        let row = |task| Row { agent: agent.clone(), task };
        output::print_json(&tasks.into_iter().map(row).collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("STATUS", Align::Left),
        ("UPDATED", Align::Left),
        ("PARENT", Align::Right),
        ("TASK", Align::Left),
    ]);
    for task in tasks {
        let text = match task.detail.as_str() {
            "" => task.title,
            detail => format!("{}\n{detail}", task.title),
        };
        table.row([
            task.id.to_string().into(),
            Cell::styled(task.status.as_str(), style(task.status)),
            time::local(task.updated).into(),
            task.parent.map_or(String::new(), |id| id.to_string()).into(),
            text.into(),
        ]);
    }
    output::print(&table.render())?;
    Ok(Exit::Ok)
}

fn style(status: Status) -> Style {
    match status {
        Status::Open => Style::new(),
        Status::Active => BOLD,
        Status::Blocked => YELLOW,
        Status::Failed => RED,
        Status::Done | Status::Cancelled => DIM,
    }
}

fn failure(error: TaskError) -> Error {
    match error {
        TaskError::Invalid(invalid) => Failure::usage(invalid.to_string()).into(),
        TaskError::NotFound { .. } => Failure::new(Exit::Failed, error.to_string())
            .hint("`xpressclaw tasks list` shows the ids; `--agent` says whose task it is")
            .into(),
        error => error.into(),
    }
}
