//! `xpressclaw model`: the models that agents can use.

use std::path::{Path, PathBuf};

use anyhow::Result;
use config::Config;
use domain::Price;
use providers::openai::ModelFacts;
use serde::Serialize;

use super::output::{self, PricePerMillion};
use super::table::{Align, Cell, Table};
use super::{Context, local_file};
use crate::cli::{Format, ModelCommand};
use crate::exit::Exit;
use crate::models;
use crate::render::{BOLD, YELLOW};

pub fn run(context: &Context, command: ModelCommand) -> Result<Exit> {
    match command {
        ModelCommand::List { format } => list(context, format),
    }
}

/// A model as JSON.
#[derive(Serialize)]
struct Row {
    /// What is written as `--model`.
    model: String,
    /// `local` or the name of a provider.
    provider: String,
    /// Whether agents that name no model get this one.
    default: bool,
    /// Tokens; `None`: unknown.
    context_window: Option<u32>,
    /// Tokens; `None`: unknown.
    max_output_tokens: Option<u32>,
    /// For a million tokens; `None`: unknown, so that the model is refused.
    #[serde(serialize_with = "per_million")]
    price: Option<Price>,
    /// Of a local model.
    path: Option<String>,
    size_bytes: Option<u64>,
    /// Why a local model cannot be used.
    problem: Option<String>,
}

fn list(context: &Context, format: Format) -> Result<Exit> {
    let config = &context.config;
    let default = config.model.as_deref().unwrap_or(models::LOCAL);
    let mut rows: Vec<Row> =
        local_files(context).into_iter().map(|(name, path)| local(name, &path, config)).collect();
    for (provider, settings) in &config.providers {
        for (id, model) in &settings.models {
            let assumed = ModelFacts::assumed(id);
            rows.push(Row {
                model: format!("{provider}/{id}"),
                provider: provider.clone(),
                default: false,
                context_window: model.context_window.or(Some(assumed.context_window)),
                max_output_tokens: model.max_output_tokens.or(Some(assumed.max_output_tokens)),
                price: model.price,
                path: None,
                size_bytes: None,
                problem: None,
            });
        }
    }
    for row in &mut rows {
        row.default = row.model == default;
    }
    explain(context, &rows, default);
    match format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => output::print(&as_text(rows))?,
    }
    Ok(Exit::Ok)
}

/// What the list itself does not say.
fn explain(context: &Context, rows: &[Row], default: &str) {
    if rows.iter().any(|row| row.default) {
        return;
    }
    let folders = models::folders(&context.paths);
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let several = rows.iter().any(|row| row.path.is_some());
    output::note(&match (default == models::LOCAL, several) {
        (true, true) => "there are several local models, so none is the default; name one with \
                         `local: {model: FILE.gguf}` in xpressclaw.yaml"
            .to_owned(),
        (true, false) => {
            format!("there is no local model: no .gguf file in {}", folders.join(" or "))
        }
        (false, _) => format!("the default, `{default}`, is none of these"),
    });
}

/// The names and files of the local models; the one that `local` stands for has that name.
fn local_files(context: &Context) -> Vec<(String, PathBuf)> {
    let chosen = local_file::chosen(context).ok().flatten();
    let mut files = models::list_local(&context.paths);
    files.extend(chosen.iter().filter(|path| !files.contains(path)).cloned().collect::<Vec<_>>());
    let name = |path: &PathBuf| match &chosen {
        Some(chosen) if chosen == path => models::LOCAL.to_owned(),
        _ => path.display().to_string(),
    };
    files.into_iter().map(|path| (name(&path), path)).collect()
}

fn local(name: String, path: &Path, config: &Config) -> Row {
    let (info, problem) = match local_file::info(path, config) {
        Ok(info) => (Some(info), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Row {
        model: name,
        provider: models::LOCAL.to_owned(),
        default: false,
        context_window: info.as_ref().map(|info| info.context_window),
        max_output_tokens: info.as_ref().map(|info| info.max_output_tokens),
        price: info.and_then(|info| info.price),
        path: Some(path.display().to_string()),
        size_bytes: std::fs::metadata(path).ok().map(|file| file.len()),
        problem,
    }
}

fn as_text(rows: Vec<Row>) -> String {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("MODEL", Align::Left),
        ("WINDOW", Align::Right),
        ("OUTPUT", Align::Right),
        ("PER MILLION TOKENS", Align::Left),
        ("SIZE", Align::Right),
        ("FILE", Align::Left),
        ("PROBLEM", Align::Left),
    ]);
    let number = |tokens: Option<u32>| tokens.map_or(String::new(), |n| n.to_string());
    for row in rows {
        let price = match (row.price, &row.problem) {
            (Some(price), _) => Cell::from(output::price(&price)),
            (None, None) => Cell::styled("unknown: refused until it is configured", YELLOW),
            (None, Some(_)) => "".into(),
        };
        table.row([
            Cell::styled(if row.default { "default" } else { "" }, BOLD),
            row.model.into(),
            number(row.context_window).into(),
            number(row.max_output_tokens).into(),
            price,
            row.size_bytes.map_or(String::new(), output::size).into(),
            row.path.unwrap_or_default().into(),
            Cell::styled(row.problem.unwrap_or_default(), YELLOW),
        ]);
    }
    table.render()
}

fn per_million<S: serde::Serializer>(price: &Option<Price>, to: S) -> Result<S::Ok, S::Error> {
    price.map(PricePerMillion::from).serialize(to)
}
