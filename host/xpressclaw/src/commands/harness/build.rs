//! `xpressclaw harness build`: a project to a component that is checked.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kit::build::{Built, Options};
use serde::Serialize;

use super::super::output;
use super::check;
use super::component;
use crate::cli::{BuildArgs, Format};
use crate::environment;
use crate::exit::{Exit, Failure};

/// A built component as JSON.
#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    path: String,
    size_bytes: u64,
    digest: String,
}

pub fn run(args: &BuildArgs) -> Result<Exit> {
    let built = build(&args.project, args.locked)?;
    let surface = component::read(&built.path)?;
    let row = Row {
        name: built.manifest.name,
        version: built.manifest.version,
        path: built.path.display().to_string(),
        size_bytes: built.size,
        digest: surface.digest,
    };
    let text = format!("{}  {}  {}\n", row.path, output::size(row.size_bytes), row.digest);
    match args.format {
        Format::Json => output::print_json(&[row])?,
        Format::Text => output::print(&text)?,
    }
    let report = kit::check::check(&std::fs::read(&built.path)?)?;
    if report.is_good() {
        return Ok(Exit::Ok);
    }
    output::note(&check::wrong_lines(&report));
    Err(Failure::new(Exit::Failed, "the component does not keep the contract").into())
}

/// Builds a project; what begins is said on stderr.
pub fn build(project: &Path, locked: bool) -> Result<Built> {
    let options = Options { cargo_home: cargo_home(), locked };
    kit::build::build(project, &options, &output::note).map_err(|error| {
        Failure::new(Exit::Failed, "the project was not built").because(error).into()
    })
}

fn cargo_home() -> Option<PathBuf> {
    let usual = || std::env::home_dir().map(|home| home.join(".cargo"));
    environment::CARGO_HOME.path().or_else(usual)
}
