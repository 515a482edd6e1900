//! `xpressclaw attach`: a running session, seen and steered from another terminal.

#[cfg(unix)]
mod screen;
#[cfg(unix)]
mod strings;
#[cfg(unix)]
mod target;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod watch;

use std::path::Path;

use anyhow::Result;
use control::protocol::Info;

use super::Context;
use crate::cli::AttachArgs;
use crate::exit::Exit;
#[cfg(not(unix))]
use crate::exit::Failure;

#[cfg(unix)]
pub fn run(context: &Context, args: &AttachArgs) -> Result<Exit> {
    runtime()?.block_on(async {
        let target = target::find(&context.paths.control(), args.target.as_deref()).await?;
        match args.terminal {
            true => terminal::attach(target, args.read_only).await,
            false => watch::watch(target, args).await,
        }
    })
}

/// Every session that runs under a data directory, with its process. Processes that do not answer
/// are named on stderr.
#[cfg(unix)]
pub fn running(folder: &Path) -> Result<Vec<(Info, u32)>> {
    let found = runtime()?.block_on(target::survey(folder))?;
    let sessions =
        |found: control::Found| found.sessions.into_iter().map(move |info| (info, found.hello.pid));
    Ok(found.into_iter().flat_map(sessions).collect())
}

#[cfg(unix)]
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Without Unix sockets there is nothing to connect to.
#[cfg(not(unix))]
pub fn run(_: &Context, _: &AttachArgs) -> Result<Exit> {
    Err(absent().into())
}

#[cfg(not(unix))]
pub fn running(_: &Path) -> Result<Vec<(Info, u32)>> {
    Err(absent().into())
}

#[cfg(not(unix))]
fn absent() -> Failure {
    Failure::usage(
        "running sessions cannot be seen from elsewhere on this system: it has no Unix sockets",
    )
}
