//! `model default`: which file `local` means, said or recorded.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::super::{Context, output};
use crate::cli::Format;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::local_model;

#[derive(Serialize)]
struct Row {
    path: String,
}

pub fn run(context: &Context, model: Option<&str>, format: Format) -> Result<Exit> {
    let paths = &context.paths;
    let path = match model {
        Some(model) => record(context, model)?,
        None => {
            local_model::chosen(&context.config, paths)?.ok_or_else(|| local_model::none(paths))?
        }
    };
    let path = path.display().to_string();
    match format {
        Format::Json => output::print_json(&[Row { path }])?,
        Format::Text => output::print(&format!("{path}\n"))?,
    }
    Ok(Exit::Ok)
}

fn record(context: &Context, model: &str) -> Result<PathBuf> {
    let unusable = |path: &PathBuf| format!("{} cannot be the default", path.display());
    let path = local_model::named(model, &context.paths).ok_or_else(|| {
        Failure::usage(format!("there is no local model `{model}`")).hint(format!(
            "`xpressclaw model list` shows those that are there; `xpressclaw model pull {model}` \
             gets one of the catalogue"
        ))
    })?;
    // Recorded for every working directory.
    let path = std::path::absolute(&path)?;
    local_model::info(&path, &context.config).map_err(|error| {
        let error: Box<dyn std::error::Error + Send + Sync> = error.into();
        Failure::usage(unusable(&path)).because(error)
    })?;
    local_model::shelf(&context.paths).set_default(&path)?;
    let stronger = match (environment::LOCAL_MODEL.text(), &context.config.local.model) {
        (Some(_), _) => Some(environment::LOCAL_MODEL.name),
        (None, Some(_)) => Some("`local.model` in xpressclaw.yaml"),
        (None, None) => None,
    };
    if let Some(stronger) = stronger {
        output::note(&format!("recorded, but {stronger} goes before it"));
    }
    Ok(path)
}
