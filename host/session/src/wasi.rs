//! WASI as a guest sees it: the workspace, a private `/state`, no environment of the host.

use std::path::Path;

use network::Egress;
use store::log::Level;
use tokio::io::AsyncWrite;
use verbs::{GuestOutput, Lines};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::error::OpenError;

/// Also a guest's initial working directory.
pub(crate) use approvals::WORKSPACE;
/// Where a guest keeps what belongs to the session.
pub(crate) const STATE: &str = "/state";

pub(crate) fn context(
    harness: &str,
    workspace: &Path,
    state: &Path,
    egress: &Egress,
    lines: &Lines,
) -> Result<WasiCtx, OpenError> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(&[harness])
        .initial_cwd(WORKSPACE)
        // A guest's file call runs on its own thread of the executor: it is short, and handing it
        // to another thread costs more than the call.
        .allow_blocking_current_thread(true)
        .stdout(Output { lines: lines.clone(), level: Level::Info })
        .stderr(Output { lines: lines.clone(), level: Level::Warn });
    for (what, host, guest) in
        [("the workspace", workspace, WORKSPACE), ("the session's state", state, STATE)]
    {
        builder.preopened_dir(host, guest, FsPerms::ReadWrite).map_err(|e| {
            let source = std::io::Error::other(e.to_string());
            OpenError::Directory { what, path: host.into(), source }
        })?;
    }
    network::configure(&mut builder, egress);
    Ok(builder.build())
}

/// A guest's stdout or stderr: lines of the agent's log.
struct Output {
    lines: Lines,
    level: Level,
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(GuestOutput::new(self.lines.clone(), self.level))
    }
}
