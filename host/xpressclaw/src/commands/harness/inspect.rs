//! `xpressclaw harness inspect`: what a component could reach at most, before it ever runs.

use std::collections::BTreeMap;

use anstyle::Style;
use anyhow::Result;
use kit::manifest::Asks;
use serde::Serialize;

use super::super::output;
use super::super::table::{Align, Cell, Table};
use super::component::{self, Surface};
use super::publish::block_on;
use super::reach::{self, Group};
use crate::cli::Format;
use crate::commands::Context;
use crate::exit::Exit;
use crate::harness_path::{self, Found};
use crate::render::{BOLD, DIM, RED};

/// A component as JSON, one line for each part of an agent.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    path: String,
    size_bytes: u64,
    digest: &'a str,
    /// `None`: it is no harness and no middleware.
    world: Option<&'static str>,
    /// What it says that it asks its user for; it grants nothing.
    asks: Option<&'a Asks>,
    reach: BTreeMap<&'static str, Vec<&'a str>>,
    imports: &'a [String],
    exports: &'a [String],
}

pub fn run(context: &Context, typed: &str, format: Format) -> Result<Exit> {
    // An agent of the configuration stands for its harness, as in `run`.
    let configured = context.config.agent(typed);
    let typed = configured.map_or(typed, |agent| &agent.harness);
    let middleware = configured.map_or(&[][..], |agent| &agent.middleware);
    // The harness, then what stands before it: each is a part of the agent, and reaches what the
    // agent may reach.
    let parts = std::iter::once(typed)
        .chain(middleware.iter().map(String::as_str))
        .map(|name| {
            let found = block_on(harness_path::resolve(name, context))??;
            let surface = component::read(&found.path)?;
            Ok((found, surface))
        })
        .collect::<Result<Vec<_>>>()?;
    match format {
        Format::Json => {
            let rows: Vec<_> = parts.iter().map(|(found, surface)| row(found, surface)).collect();
            output::print_json(&rows)?;
        }
        Format::Text => {
            let texts: Vec<_> = parts.iter().map(|(found, part)| as_text(found, part)).collect();
            output::print(&texts.join("\n"))?;
        }
    }
    Ok(Exit::Ok)
}

fn row<'a>(found: &'a Found, surface: &'a Surface) -> Row<'a> {
    let reach = reach::grouped(&surface.imports);
    Row {
        name: &found.name,
        path: found.path.display().to_string(),
        size_bytes: surface.size_bytes,
        digest: &surface.digest,
        world: reach::world(&surface.exports).map(|(world, _)| world),
        asks: surface.asks.as_ref(),
        reach: reach.into_iter().map(|(group, names)| (group.name, names)).collect(),
        imports: &surface.imports,
        exports: &surface.exports,
    }
}

fn as_text(found: &Found, surface: &Surface) -> String {
    let world = match reach::world(&surface.exports) {
        Some((world, meaning)) => Cell::from(format!("{world} ({meaning})")),
        None => Cell::styled("none: it is no harness, `run` will refuse it", RED),
    };
    let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let asks = match &surface.asks {
        Some(asks) => component::asks_in_words(asks).join("\n"),
        None => "it does not say".to_owned(),
    };
    let asks = if asks.is_empty() { "nothing".to_owned() } else { asks };
    for (name, value) in [
        ("name", Cell::from(&found.name)),
        ("file", found.path.display().to_string().into()),
        ("size", output::size(surface.size_bytes).into()),
        ("digest", Cell::from(&surface.digest)),
        ("world", world),
        ("asks for", asks.into()),
        ("exports", surface.exports.join("\n").into()),
    ] {
        facts.row([Cell::styled(name, DIM), value]);
    }
    let mut reachable = Table::new(&[("CAN REACH", Align::Left), ("AT MOST", Align::Left)]);
    for (group, names) in reach::grouped(&surface.imports) {
        let style = if group.name == reach::UNKNOWN.name { RED } else { BOLD };
        reachable.row([Cell::styled(group.name, style), at_most(group, &names).into()]);
    }
    let reachable = reachable.render();
    let nothing =
        format!("{}it imports nothing: it can only compute{:#}\n", Style::new(), Style::new());
    format!("{}\n{}", facts.render(), if reachable.is_empty() { nothing } else { reachable })
}

fn at_most(group: &Group, names: &[&str]) -> String {
    format!("{}\n{}", group.meaning, names.join("\n"))
}
