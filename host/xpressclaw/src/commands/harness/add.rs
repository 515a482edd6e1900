//! `xpressclaw harness add | remove`: the names that a working directory pins.

use std::path::Path;

use anyhow::Result;
use domain::AgentName;
use registry::LOCK_FILE;

use super::super::output;
use super::publish::block_on;
use super::pull;
use crate::cli::{AddArgs, RemoveArgs};
use crate::commands::Context;
use crate::exit::{Exit, Failure};
use crate::registries::{self, Registries};

pub fn add(context: &Context, args: &AddArgs) -> Result<Exit> {
    let registries = Registries::new(context)?;
    let reference = registries.reference(&args.reference)?;
    let name = args.name.clone().unwrap_or_else(|| reference.repository.name().to_owned());
    // It is what the agent is called when it runs.
    AgentName::new(&name).map_err(|error| {
        Failure::usage(format!("`{name}` is no name of a harness"))
            .because(error)
            .hint("give it one with `--name`")
    })?;
    let mut lock = registries::lock()?;
    let opened = block_on(registries.fresh(&reference))??;
    lock.harnesses.insert(name.clone(), opened.reference.clone());
    write(&lock)?;
    output::note(&format!("`{name}` is pinned in {LOCK_FILE}"));
    pull::print(&opened, args.format)?;
    Ok(Exit::Ok)
}

pub fn remove(args: &RemoveArgs) -> Result<Exit> {
    let mut lock = registries::lock()?;
    if lock.harnesses.remove(&args.name).is_none() {
        let known: Vec<_> = lock.harnesses.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Failure::usage(format!("{LOCK_FILE} has no `{}`", args.name))
            .hint(format!("it has: {known}"))
            .into());
    }
    write(&lock)?;
    Ok(Exit::Ok)
}

fn write(lock: &registry::Lock) -> Result<(), Failure> {
    lock.write(Path::new(LOCK_FILE))
        .map_err(|error| Failure::new(Exit::Failed, "nothing is pinned").because(error))
}
