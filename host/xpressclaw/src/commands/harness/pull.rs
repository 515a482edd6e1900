//! `xpressclaw harness pull`: what a registry has today, verified.

use anyhow::Result;
use registry::Opened;
use serde::Serialize;

use super::super::output;
use super::publish::block_on;
use crate::cli::{Format, PullHarnessArgs};
use crate::commands::Context;
use crate::exit::Exit;
use crate::registries::Registries;

/// What was pulled, as JSON.
#[derive(Serialize)]
pub struct Row {
    reference: String,
    path: String,
    size_bytes: u64,
    /// Who vouches for it; `None`: nobody was asked, or nobody does.
    proof: Option<String>,
    warning: Option<String>,
    change: &'static str,
}

pub fn run(context: &Context, args: &PullHarnessArgs) -> Result<Exit> {
    let registries = Registries::new(context)?;
    let reference = registries.reference(&args.reference)?;
    let opened = block_on(registries.fresh(&reference))??;
    print(&opened, args.format)?;
    Ok(Exit::Ok)
}

/// Its reference with the digest, which is what others should write down.
pub fn print(opened: &Opened, format: Format) -> Result<()> {
    let row = Row {
        reference: opened.reference.to_string(),
        path: opened.path.display().to_string(),
        size_bytes: opened.component.len() as u64,
        proof: opened.admission.proof.clone(),
        warning: opened.admission.warning.clone(),
        change: if opened.pulled { "downloaded" } else { "was there" },
    };
    match (&row.proof, &row.warning) {
        (Some(proof), _) => output::note(proof),
        (None, None) => output::note("the configuration asks for no signature here"),
        (None, Some(_)) => {}
    }
    match format {
        Format::Json => output::print_json(&[row]),
        Format::Text => output::print(&format!("{}\n", row.reference)),
    }
}
