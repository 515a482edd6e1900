//! `xpressclaw harness`: the components that can be run, and what each could reach.

mod add;
mod build;
mod check;
mod component;
mod inspect;
mod key;
mod new;
mod progress;
mod publish;
mod pull;
mod reach;
mod test;
mod wit;

pub use build::build as build_project;
pub use progress::download_progress;

use anyhow::Result;
use serde::Serialize;

use super::table::{Align, Table};
use super::{Context, output};
use crate::cli::{Format, HarnessCommand};
use crate::exit::Exit;
use crate::harness_path;

pub fn run(context: &Context, command: HarnessCommand) -> Result<Exit> {
    match command {
        HarnessCommand::List { format } => list(context, format),
        HarnessCommand::Inspect { harness, format } => inspect::run(context, &harness, format),
        HarnessCommand::New(args) => new::run(&args),
        HarnessCommand::Build(args) => build::run(&args),
        HarnessCommand::Check(args) => check::run(&args),
        HarnessCommand::Test(args) => test::run(context, &args),
        HarnessCommand::Wit(args) => wit::run(&args),
        HarnessCommand::Push(args) => publish::push(context, &args),
        HarnessCommand::Pull(args) => pull::run(context, &args),
        HarnessCommand::Add(args) => add::add(context, &args),
        HarnessCommand::Remove(args) => add::remove(&args),
        HarnessCommand::Sign(args) => publish::sign(context, &args),
        HarnessCommand::Key(args) => key::run(&args),
    }
}

/// A component as JSON.
#[derive(Serialize)]
struct Row {
    name: String,
    path: String,
    /// `None`: the file cannot be read.
    size_bytes: Option<u64>,
}

fn list(context: &Context, format: Format) -> Result<Exit> {
    let rows: Vec<Row> = harness_path::list(&context.paths)
        .into_iter()
        .map(|found| Row {
            name: found.name,
            path: found.path.display().to_string(),
            size_bytes: std::fs::metadata(&found.path).ok().map(|file| file.len()),
        })
        .collect();
    if rows.is_empty() {
        let folders = harness_path::folders(&context.paths);
        let folders: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
        output::note(&format!("there is no .wasm file in {}", folders.join(" or ")));
    }
    if format == Format::Json {
        output::print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let mut table =
        Table::new(&[("NAME", Align::Left), ("SIZE", Align::Right), ("FILE", Align::Left)]);
    for row in rows {
        let size = row.size_bytes.map_or("unreadable".to_owned(), output::size);
        table.row([row.name.into(), size.into(), row.path.into()]);
    }
    output::print(&table.render())?;
    Ok(Exit::Ok)
}
