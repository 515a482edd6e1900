//! A host for tests: starts the agent, speaks with it, and fails when something does not come in time.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Start, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use machine_protocol::{
    Command, Decoder, Event, Exit, MAX_DATA, Program, Request, Size, Stream, VERSION, encode,
};
use tempfile::TempDir;

/// Far more than anything here takes; only a failing test waits so long.
pub const LONG: Duration = Duration::from_secs(60);

/// How the agent keeps a command's processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trees {
    Walk,
    Groups,
}

pub struct Host {
    stream: UnixStream,
    decoder: Decoder,
    /// Events that came while others were waited for.
    passed: VecDeque<Event>,
    agent: Child,
    pub folder: TempDir,
    next: u32,
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub exit: Exit,
}

pub const SIZE: Size = Size { columns: 100, rows: 30 };

pub fn script(script: &str) -> Command {
    let program = Program::Script(script.into());
    Command { program, cwd: None, env: Vec::new(), timeout_ms: None, pty: None }
}

pub fn on_terminal(text: &str) -> Command {
    Command { pty: Some(SIZE), ..script(text) }
}

/// Where this system has control groups of version 2 that this test may make, if it has.
pub fn groups() -> Option<PathBuf> {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].iter().map(Path::new).find_map(|root| {
        let kind = root.join("cgroup.procs").exists() && root.join("cgroup.controllers").exists();
        let probe = root.join(format!("xpressclaw-probe-{}", std::process::id()));
        (kind && fs::create_dir(&probe).is_ok())
            .then(|| fs::remove_dir(&probe).map(|()| root.to_owned()).ok())?
    })
}

impl Host {
    pub fn new() -> Self {
        Self::with(Trees::Walk)
    }

    pub fn with(trees: Trees) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("workspace")).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(LONG)).unwrap();
        let mut start = Start::new(env!("CARGO_BIN_EXE_init"));
        start.arg("agent").arg("--beside").arg(folder.path());
        if trees == Trees::Groups {
            let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
            start.arg("--groups").arg(groups().unwrap().join(format!("xpressclaw{name}")));
        }
        let agent = start.stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
        let (decoder, passed) = (Decoder::default(), VecDeque::new());
        let mut host = Self { stream: ours, decoder, passed, agent, folder, next: 0 };
        assert_eq!(host.receive(), Event::Hello { version: VERSION });
        host
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("xclaw.sock")
    }

    pub fn agent_pid(&self) -> u32 {
        self.agent.id()
    }

    pub fn send(&mut self, request: Request) {
        self.try_send(&request).unwrap();
    }

    pub fn try_send(&mut self, request: &Request) -> io::Result<()> {
        self.stream.write_all(&encode(request).unwrap())
    }

    /// Bytes that need not be a message.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next event that came.
    pub fn receive(&mut self) -> Event {
        self.try_receive().expect("nothing came in time")
    }

    fn try_receive(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.decoder.next().unwrap() {
                return Some(event);
            }
            let mut buffer = [0; 64 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("the agent is gone"),
                Ok(count) => self.decoder.push(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Whether nothing comes for this long: for what must not happen.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let event = self.try_receive();
        self.stream.set_read_timeout(Some(LONG)).unwrap();
        let silent = event.is_none();
        self.passed.extend(event);
        silent
    }

    /// The first event that `found` makes something of. Others wait for their turn.
    pub fn wait<T>(&mut self, mut found: impl FnMut(&Event) -> Option<T>) -> T {
        let at = self.passed.iter().position(|event| found(event).is_some());
        if let Some(event) = at.and_then(|at| self.passed.remove(at)) {
            return found(&event).unwrap();
        }
        let deadline = Instant::now() + LONG;
        while Instant::now() < deadline {
            let event = self.receive();
            match found(&event) {
                Some(value) => return value,
                None => self.passed.push_back(event),
            }
        }
        panic!("it did not come among {:?}", self.passed);
    }

    /// Starts a command, whose id is returned.
    pub fn start(&mut self, command: Command) -> u32 {
        self.next += 1;
        let process = self.next;
        self.send(Request::Start { process, command });
        self.wait(|event| (*event == Event::Started { process }).then_some(()));
        process
    }

    /// Reads all that a command has to say, allowing more as it comes.
    pub fn finish(&mut self, id: u32) -> Outcome {
        let (mut stdout, mut stderr, mut exit) = (Vec::new(), Vec::new(), None);
        loop {
            let event = self.wait(|event| of(event, id));
            match event {
                Event::Output { stream, data, .. } => {
                    assert!(!data.is_empty() && data.len() <= MAX_DATA);
                    let bytes = u32::try_from(data.len()).unwrap();
                    match stream {
                        Stream::Stdout => stdout.extend(data),
                        Stream::Stderr => stderr.extend(data),
                    }
                    self.send(Request::Allow { process: id, bytes });
                }
                Event::Exited { exit: how, .. } => exit = Some(how),
                Event::Ended { .. } => break,
                _ => {}
            }
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { stdout: text(stdout), stderr: text(stderr), exit: exit.unwrap() }
    }

    pub fn run(&mut self, command: Command) -> Outcome {
        let id = self.start(command);
        self.finish(id)
    }

    /// Output of `id` until `text` was in it; all that came.
    pub fn output_until(&mut self, id: u32, text: &str) -> String {
        let mut got = String::new();
        while !got.contains(text) {
            let data = self.wait(|event| match of(event, id) {
                Some(Event::Output { data, .. }) => Some(data),
                Some(Event::Ended { .. }) => panic!("it ended"),
                _ => None,
            });
            self.send(Request::Allow { process: id, bytes: u32::try_from(data.len()).unwrap() });
            got += &String::from_utf8_lossy(&data);
        }
        got
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

    /// A client of the agent's tmux.
    pub fn tmux(&self, words: &[&str]) -> (bool, String) {
        let socket = self.folder.path().join("run/tmux.sock");
        let output = Start::new("tmux").arg("-S").arg(socket).args(words).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let _ = self.agent.wait();
        self.tmux(&["kill-server"]);
    }
}

/// The event, if it is about this process.
pub fn of(event: &Event, id: u32) -> Option<Event> {
    let process = match event {
        Event::Output { process, .. }
        | Event::Exited { process, .. }
        | Event::Ended { process }
        | Event::InputTaken { process, .. }
        | Event::InputClosed { process }
        | Event::Refused { process, .. } => *process,
        _ => return None,
    };
    (process == id).then(|| event.clone())
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
