//! `model list`: what can be used now, and what can be pulled.

use std::path::{Path, PathBuf};

use anyhow::Result;
use config::Config;
use domain::Price;
use models::{Entry, Tools, catalogue};
use providers::endpoint::ModelFacts;
use serde::Serialize;

use super::super::Context;
use super::super::output::{self, PricePerMillion};
use super::super::table::{Align, Cell, Table};
use crate::cli::Format;
use crate::exit::Exit;
use crate::local_model;
use crate::models::LOCAL;
use crate::render::{BOLD, DIM, YELLOW};

/// For which context the memory of a model is told: the default.
const CONTEXT: u32 = 8_192;

/// A model as JSON.
#[derive(Serialize)]
struct Row {
    kind: &'static str,
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

/// An entry of the catalogue as JSON.
#[derive(Serialize)]
struct Offer {
    kind: &'static str,
    /// What is written after `model pull`, and then as `--model`.
    model: &'static str,
    about: &'static str,
    licence: &'static str,
    parameters: &'static str,
    quantization: &'static str,
    /// Tokens.
    context_window: u32,
    /// Whether it was trained to call tools.
    tools: bool,
    size_bytes: u64,
    /// With the default context window; an estimate.
    memory_bytes: u64,
    sha256: String,
    url: &'static str,
    /// The day of these facts.
    as_of: &'static str,
    /// Where it is, when it was pulled.
    path: Option<String>,
}

pub fn run(context: &Context, format: Format) -> Result<Exit> {
    let config = &context.config;
    let default = config.model.as_deref().unwrap_or(LOCAL);
    let mut rows: Vec<Row> =
        local_files(context).into_iter().map(|(name, path)| local(name, &path, config)).collect();
    for (provider, settings) in &config.providers {
        for (id, model) in &settings.models {
            let assumed = ModelFacts::assumed(id);
            rows.push(Row {
                kind: "model",
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
    let offers: Vec<Offer> = catalogue().models.iter().map(|entry| offer(context, entry)).collect();
    match format {
        Format::Json => {
            output::print_json(&rows)?;
            output::print_json(&offers)?;
        }
        Format::Text => {
            let here = as_text(rows);
            let gap = if here.is_empty() { "" } else { "\n" };
            output::print(&format!("{here}{gap}{}", offers_as_text(offers)))?;
            output::note(&format!(
                "what can be pulled is as of {}; memory is an estimate for {CONTEXT} tokens of \
                 context; tools are shown to models that were not trained for them",
                catalogue().as_of
            ));
        }
    }
    Ok(Exit::Ok)
}

fn offer(context: &Context, entry: &'static Entry) -> Offer {
    let path = local_model::named(&entry.name, &context.paths);
    Offer {
        kind: "catalogue",
        model: &entry.name,
        about: &entry.about,
        licence: &entry.licence,
        parameters: &entry.parameters,
        quantization: &entry.quantization,
        context_window: entry.context_window,
        tools: entry.tools == Tools::Trained,
        size_bytes: entry.size_bytes,
        memory_bytes: entry.memory_bytes(CONTEXT),
        sha256: entry.sha256.to_string(),
        url: entry.url.as_str(),
        as_of: &catalogue().as_of,
        path: path.map(|path| path.display().to_string()),
    }
}

/// What the list itself does not say.
fn explain(context: &Context, rows: &[Row], default: &str) {
    if rows.iter().any(|row| row.default) {
        return;
    }
    let folders = local_model::folders(&context.paths);
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let several = rows.iter().any(|row| row.path.is_some());
    output::note(&match (default == LOCAL, several) {
        (true, true) => match local_model::chosen(&context.config, &context.paths) {
            Err(failure) => {
                format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default())
            }
            Ok(_) => "the local model is none of these".to_owned(),
        },
        (true, false) => {
            format!(
                "there is no local model: no .gguf file in {}; `xpressclaw model pull NAME` gets one",
                folders.join(" or ")
            )
        }
        (false, _) => format!("the default, `{default}`, is none of these"),
    });
}

/// The names and files of the local models; the one that `local` stands for has that name.
fn local_files(context: &Context) -> Vec<(String, PathBuf)> {
    let chosen = local_model::chosen(&context.config, &context.paths).ok().flatten();
    let mut files = local_model::list(&context.paths);
    files.extend(chosen.iter().filter(|path| !files.contains(path)).cloned().collect::<Vec<_>>());
    let name = |path: &PathBuf| match &chosen {
        Some(chosen) if chosen == path => LOCAL.to_owned(),
        _ => path.display().to_string(),
    };
    files.into_iter().map(|path| (name(&path), path)).collect()
}

fn local(name: String, path: &Path, config: &Config) -> Row {
    let (info, problem) = match local_model::info(path, config) {
        Ok(info) => (Some(info), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Row {
        kind: "model",
        model: name,
        provider: LOCAL.to_owned(),
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

fn offers_as_text(offers: Vec<Offer>) -> String {
    let mut table = Table::new(&[
        ("TO PULL", Align::Left),
        ("PARAMETERS", Align::Left),
        ("QUANTIZED", Align::Left),
        ("SIZE", Align::Right),
        ("MEMORY", Align::Right),
        ("CONTEXT", Align::Right),
        ("TOOLS", Align::Left),
        ("LICENCE", Align::Left),
        ("", Align::Left),
        ("ABOUT", Align::Left),
    ]);
    for offer in offers {
        table.row([
            offer.model.into(),
            offer.parameters.into(),
            offer.quantization.into(),
            output::size(offer.size_bytes).into(),
            output::size(offer.memory_bytes).into(),
            offer.context_window.to_string().into(),
            if offer.tools { "trained" } else { "shown" }.into(),
            offer.licence.into(),
            Cell::styled(if offer.path.is_some() { "here" } else { "" }, DIM),
            offer.about.into(),
        ]);
    }
    table.render()
}

fn per_million<S: serde::Serializer>(price: &Option<Price>, to: S) -> Result<S::Ok, S::Error> {
    price.map(PricePerMillion::from).serialize(to)
}
