//! A machine without a machine: the agent as a program of this system, spoken to by the host's client.

use std::fs;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Start, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use machine_client::{
    Client, Command, Connection, Exit, Process, ProcessError, Program, Size, Stream,
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Far more than anything here takes; only a failing test waits so long.
const LONG: Duration = Duration::from_secs(60);

pub struct Machine {
    pub client: Option<Client>,
    pub connections: UnboundedReceiver<Connection>,
    pub folder: TempDir,
    agent: Child,
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub exit: Exit,
}

impl Machine {
    pub async fn new() -> Self {
        Self::started_by(Start::new(env!("CARGO_BIN_EXE_init"))).await
    }

    /// With the agent behind what `start` starts.
    pub async fn started_by(mut start: Start) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("workspace")).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = tokio::net::UnixStream::from_std(ours).unwrap();
        start.arg("agent").arg("--beside").arg(folder.path());
        let agent = start.stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
        // It has the other end open until it is dropped.
        drop(start);
        let (sender, connections) = unbounded_channel();
        let on_connection = move |connection| drop(sender.send(connection));
        let client = Client::new(ours, Arc::new(on_connection));
        soon(client.ready()).await.unwrap();
        Self { client: Some(client), connections, folder, agent }
    }

    pub fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub fn agent_pid(&self) -> u32 {
        self.agent.id()
    }

    pub fn start(&self, command: Command) -> Process {
        self.client().start(command)
    }

    pub async fn run(&self, command: Command) -> Outcome {
        finish(&self.start(command)).await.unwrap()
    }

    /// Waits for the agent itself.
    pub fn agent_ends(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the agent ends", || {
            status = self.agent.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its stream closes behind what the client still has to say.
        drop(self.client.take());
        let deadline = Instant::now() + LONG;
        while matches!(self.agent.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.agent.kill();
        let _ = self.agent.wait();
        let socket = self.folder.path().join("run/tmux.sock");
        let _ = Start::new("tmux").arg("-S").arg(socket).arg("kill-server").output();
    }
}

pub fn script(text: &str) -> Command {
    let program = Program::Script(text.into());
    Command { program, cwd: None, env: Vec::new(), timeout_ms: None, pty: None }
}

pub fn on_terminal(text: &str) -> Command {
    Command { pty: Some(Size { columns: 100, rows: 30 }), ..script(text) }
}

/// Reads all that it says.
pub async fn finish(process: &Process) -> Result<Outcome, ProcessError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let chunks = soon(process.read(1 << 20)).await?;
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            match chunk.stream {
                Stream::Stdout => stdout.extend(chunk.data),
                Stream::Stderr => stderr.extend(chunk.data),
            }
        }
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ok(Outcome { stdout: text(stdout), stderr: text(stderr), exit: soon(process.exit()).await? })
}

/// Reads until `text` was in it; all that came.
pub async fn read_until(process: &Process, text: &str) -> String {
    let mut got = Vec::new();
    loop {
        let seen = String::from_utf8_lossy(&got);
        if seen.contains(text) {
            return seen.into_owned();
        }
        let chunks = soon(process.read(1 << 20)).await.unwrap();
        assert!(!chunks.is_empty(), "it ended after {seen}");
        chunks.into_iter().for_each(|chunk| got.extend(chunk.data));
    }
}

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it does not come")
}

/// Looks again and again until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not only waited for.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// The process id that a command wrote to a file, once it did.
pub fn pid_in(path: &Path) -> u32 {
    let mut pid = None;
    eventually("a process id is written", || {
        let text = fs::read_to_string(path).unwrap_or_default();
        pid = text.strip_suffix('\n').and_then(|text| text.parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}
