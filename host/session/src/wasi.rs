//! WASI as a guest sees it: the workspace, a private `/state`, no environment of the host.
//!
//! Made when the guest first asks for any of it: opening two directories costs more than all the rest
//! of an instance, and many a harness never looks at a file.

use std::path::{Path, PathBuf};

use network::Egress;
use store::log::Level;
use tokio::io::AsyncWrite;
use verbs::{GuestOutput, Lines};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

/// Also a guest's initial working directory.
pub(crate) use approvals::WORKSPACE;
/// Where a guest keeps what belongs to the session.
pub(crate) const STATE: &str = "/state";

/// What WASI is made from, and then WASI itself.
pub(crate) struct Wasi {
    pub harness: String,
    pub workspace: PathBuf,
    pub state: PathBuf,
    pub egress: Egress,
    pub lines: Lines,
    pub made: Option<Box<WasiCtx>>,
}

impl Wasi {
    pub fn get(&mut self) -> &mut WasiCtx {
        let Self { harness, workspace, state, egress, lines, made } = self;
        made.get_or_insert_with(|| Box::new(context(harness, workspace, state, egress, lines)))
    }
}

fn context(
    harness: &str,
    workspace: &Path,
    state: &Path,
    egress: &Egress,
    lines: &Lines,
) -> WasiCtx {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(&[harness])
        .initial_cwd(WORKSPACE)
        // A guest's file call runs on its own thread of the executor: it is short, and handing it
        // to another thread costs more than the call.
        .allow_blocking_current_thread(true)
        .stdout(Output { lines: lines.clone(), level: Level::Info })
        .stderr(Output { lines: lines.clone(), level: Level::Warn });
    for (host, guest) in [(workspace, WORKSPACE), (state, STATE)] {
        // The session has looked before it started the guest. What is gone since then the guest
        // does not have.
        if let Err(error) = builder.preopened_dir(host, guest, FsPerms::ReadWrite) {
            tracing::error!(%error, path = %host.display(), "a guest's directory cannot be opened");
        }
    }
    network::configure(&mut builder, egress);
    builder.build()
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
