//! A server's process: a group of its own, an environment of its own, and its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::BufReader;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::error::StartError;
use crate::limits::STOP_GRACE;
use crate::spec::Value;
use crate::stderr::{Sink, pump};

/// A started server. Dropping it kills the whole group; [`Process::stop`] is the polite way.
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    pub fn start(
        command: &OsStr,
        args: &[OsString],
        env: &[(OsString, Value)],
        cwd: &Path,
        stderr: Sink,
    ) -> Result<(Self, ChildStdout, ChildStdin), StartError> {
        let shown = || command.to_string_lossy().into_owned();
        let failed = |source: io::Error| match source.kind() {
            // The working directory may be missing as well: the system does not tell them apart.
            io::ErrorKind::NotFound if cwd.is_dir() => StartError::NotFound { command: shown() },
            _ => StartError::Spawn { command: shown(), source },
        };
        let mut child = Command::new(command)
            .args(args)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value.expose())))
            .current_dir(cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What the server starts belongs to it and ends with it; and the terminal's Ctrl-C,
            // which cancels a turn, does not reach it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(from) = child.stderr.take() {
            tokio::spawn(pump(BufReader::new(from), stderr));
        }
        let (stdout, stdin) = (child.stdout.take(), child.stdin.take());
        let process = Self { child, group };
        match (stdout, stdin) {
            (Some(stdout), Some(stdin)) => Ok((process, stdout, stdin)),
            _ => Err(failed(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Its input is closed already. Waits for its end, then asks for it, then forces it.
    pub async fn stop(mut self) {
        if timeout(STOP_GRACE, self.child.wait()).await.is_err() {
            self.signal(Signal::TERM);
            let _ = timeout(STOP_GRACE, self.child.wait()).await;
        }
        // Dropped here: what is left of the group is killed.
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // An error means that nobody is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
