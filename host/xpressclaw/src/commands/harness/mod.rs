//! `xpressclaw harness`: the components that can be run, and what each could reach.

mod add;
mod build;
mod check;
mod component;
mod inspect;
mod key;
mod new;
mod progress;
mod prune;
mod publish;
mod pull;
mod reach;
mod sbom;
mod test;
mod wit;

pub use build::build as build_project;
pub use component::asks_for;
pub use progress::download_progress;

use anyhow::Result;
use serde::Serialize;

use super::table::{Align, Table};
use super::{Context, output};
use crate::cli::{Format, HarnessCommand};
use crate::exit::Exit;
use crate::{harness_path, registries};

pub fn run(context: &Context, command: HarnessCommand) -> Result<Exit> {
    match command {
        HarnessCommand::List { format } => list(context, format),
        HarnessCommand::Inspect { harness, format } => inspect::run(context, &harness, format),
        HarnessCommand::New(args) => new::run(&args),
        HarnessCommand::Build(args) => build::run(&args),
        HarnessCommand::Check(args) => check::run(&args),
        HarnessCommand::Test(args) => test::run(context, &args),
        HarnessCommand::Wit(args) => wit::run(context, &args),
        HarnessCommand::Push(args) => publish::push(context, &args),
        HarnessCommand::Pull(args) => pull::run(context, &args),
        HarnessCommand::Add(args) => add::add(context, &args),
        HarnessCommand::Remove(args) => add::remove(&args),
        HarnessCommand::Sbom(args) => sbom::run(context, &args),
        HarnessCommand::Sign(args) => publish::sign(context, &args),
        HarnessCommand::Key(args) => key::run(&args),
        HarnessCommand::Prune(args) => prune::run(context, &args),
    }
}

/// A component as JSON.
#[derive(Serialize)]
struct Row {
    name: String,
    /// `None`: it is pinned, and comes from a registry or the cache.
    path: Option<String>,
    /// `None`: the file cannot be read, or it is pinned.
    size_bytes: Option<u64>,
    /// What the working directory pins it to.
    reference: Option<String>,
}

fn list(context: &Context, format: Format) -> Result<Exit> {
    let pinned = registries::lock()?.harnesses;
    // A name that is pinned here is not looked for in folders.
    let files = harness_path::list(&context.paths).into_iter();
    let files = files.filter(|found| !pinned.contains_key(&found.name)).map(|found| Row {
        name: found.name,
        path: Some(found.path.display().to_string()),
        size_bytes: std::fs::metadata(&found.path).ok().map(|file| file.len()),
        reference: None,
    });
    let mut rows: Vec<Row> = files.collect();
    rows.extend(pinned.iter().map(|(name, reference)| Row {
        name: name.clone(),
        path: None,
        size_bytes: None,
        reference: Some(reference.to_string()),
    }));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
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
        let unknown = if row.path.is_some() { "unreadable" } else { "pinned" };
        let size = row.size_bytes.map_or(unknown.to_owned(), output::size);
        let place = row.path.or(row.reference).unwrap_or_default();
        table.row([row.name.into(), size.into(), place.into()]);
    }
    output::print(&table.render())?;
    Ok(Exit::Ok)
}
