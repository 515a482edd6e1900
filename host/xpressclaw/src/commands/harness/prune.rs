//! `xpressclaw harness prune`: makes room in the cache of what was pulled.

use std::time::Duration;

use anyhow::Result;
use cache::{Cache, Keep};
use serde::Serialize;

use super::super::output;
use crate::cli::{Format, PruneArgs};
use crate::commands::Context;
use crate::exit::{Exit, Failure};
use crate::registries;

const DAY_SECONDS: u64 = 24 * 3600;
const MIB: u64 = 1 << 20;

/// What was removed, as JSON.
#[derive(Serialize)]
struct Row {
    files: u64,
    bytes: u64,
    /// What is still there.
    kept_bytes: u64,
}

pub fn run(context: &Context, args: &PruneArgs) -> Result<Exit> {
    let cache = Cache::new(context.paths.artifacts());
    let failed = |error: registry::RegistryError| {
        Failure::new(Exit::Failed, "nothing more was removed").because(error)
    };
    // What other folders pin is known to them alone, and stays while it is used.
    let mut keep = Keep {
        age: Duration::from_secs(u64::from(args.days) * DAY_SECONDS),
        bytes: args.mib.map_or(u64::MAX, |mib| u64::from(mib) * MIB),
        ..Keep::default()
    };
    for reference in registries::lock()?.harnesses.values() {
        keep.pinned.extend(registry::belongings(&cache, reference).map_err(failed)?);
    }
    let cleaned = cache.clean(&keep).map_err(|error| failed(error.into()))?;
    let row = Row { files: cleaned.files, bytes: cleaned.bytes, kept_bytes: cleaned.kept_bytes };
    match args.format {
        Format::Json => output::print_json(&[row])?,
        Format::Text => output::note(&format!(
            "removed {} in {} files; {} are kept",
            output::size(row.bytes),
            row.files,
            output::size(row.kept_bytes)
        )),
    }
    Ok(Exit::Ok)
}
