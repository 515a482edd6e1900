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
#[cfg(unix)]
use crate::cli::Format;
use crate::exit::Exit;
#[cfg(not(unix))]
use crate::exit::Failure;

#[cfg(unix)]
pub fn run(context: &Context, args: &AttachArgs) -> Result<Exit> {
    runtime()?.block_on(async {
        let target = target::find(&context.paths.control(), args.target.as_deref()).await?;
        match view(&target.info, args, terminal::can_be_shown()) {
            View::Terminal => terminal::attach(target, args.read_only).await,
            View::Conversation => watch::watch(target, args).await,
        }
    })
}

/// What is shown of a session.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Terminal,
    Conversation,
}

/// What was asked for, else where the work is seen: in the terminal of its machine. A question can only be
/// answered in the conversation. `here` says whether a terminal can be shown where this runs.
#[cfg(unix)]
fn view(info: &Info, args: &AttachArgs, here: bool) -> View {
    let AttachArgs { terminal, conversation, format, .. } = args;
    let plain = !conversation && *format == Format::Text;
    let seen = info.machine && info.questions == 0 && here;
    if *terminal || plain && seen { View::Terminal } else { View::Conversation }
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
