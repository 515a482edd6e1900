//! `model remove`: deletes what `model pull` brought.

use anyhow::Result;
use models::{ModelName, ShelfError};
use serde::Serialize;

use super::super::{Context, output};
use crate::cli::Format;
use crate::exit::{Exit, Failure};
use crate::local_model;

#[derive(Serialize)]
struct Row {
    path: String,
    change: &'static str,
}

pub fn run(context: &Context, name: &str, format: Format) -> Result<Exit> {
    let name = ModelName::new(name)
        .map_err(|error| Failure::usage("not a downloaded model").because(error))?;
    let shelf = local_model::shelf(&context.paths);
    let removed = shelf.remove(&name).map_err(|error| refusal(context, &name, error))?;
    if shelf.default().ok().flatten().as_ref() == Some(&removed) {
        shelf.clear_default()?;
        output::note("it was the recorded default; none is recorded now");
    }
    let path = removed.display().to_string();
    match format {
        Format::Json => output::print_json(&[Row { path, change: "removed" }])?,
        Format::Text => output::note(&format!("removed {path}")),
    }
    Ok(Exit::Ok)
}

fn refusal(context: &Context, name: &ModelName, error: ShelfError) -> Failure {
    let elsewhere = local_model::named(name.as_str(), &context.paths);
    let failure = match (&error, elsewhere) {
        (ShelfError::Missing { .. }, Some(path)) => Failure::usage(format!(
            "{name} is not in the data directory, so it is not this command's to delete"
        ))
        .hint(format!("delete {} yourself", path.display())),
        (ShelfError::Missing { .. }, None) => Failure::usage(format!("{name} cannot be removed")),
        (ShelfError::InUse { .. }, _) => {
            Failure::new(Exit::Failed, format!("{name} cannot be removed"))
                .hint("end the runs that use it first")
        }
        _ => Failure::new(Exit::Failed, format!("{name} cannot be removed")),
    };
    failure.because(error)
}
