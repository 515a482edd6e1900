//! One command: what it is given, and what came of it.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{COMPILE_DEADLINE, DEADLINE, Place, Tape, Terminal, program};

/// Between two looks at a process that closed its outputs and is about to end.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A command to be started. Its environment holds what is set here and nothing of the test's own,
/// so that no key, proxy or configuration of the machine changes a result.
pub struct Run {
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, OsString)>,
    pub(crate) directory: std::path::PathBuf,
    stdin: Option<String>,
}

impl Run {
    pub(crate) fn new(place: &Place) -> Self {
        let path = |name: &str, path: std::path::PathBuf| (name.to_owned(), path.into_os_string());
        Self {
            args: Vec::new(),
            env: vec![
                path("HOME", place.home()),
                path("XPRESSCLAW_DATA_DIR", place.data()),
                path("XPRESSCLAW_CACHE_DIR", program::cache()),
                path(program::HARNESS_PATH, program::harnesses()),
            ],
            directory: place.home(),
            stdin: None,
        }
    }

    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(OsString::from));
        self
    }

    /// Sets a variable; a later one replaces it.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// With the real local model; without this there is none. A small model that rambles would do
    /// so for a minute, so its context, and with it its answer, is short.
    pub fn local_model(self) -> Self {
        let config = self.directory.join("local.yaml");
        std::fs::write(&config, "local: {context_window: 512}").expect("a file");
        self.env("XPRESSCLAW_CONFIG", config).env(program::MODEL_PATH, program::models())
    }

    /// With a machine; without this there is none.
    pub fn machine(self) -> Self {
        self.env(program::MACHINE_PATH, program::machine())
    }

    /// What is piped in; without this stdin is closed.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// The bare command, for a test that wants the streams elsewhere.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program::executable());
        command.args(&self.args).env_clear().envs(self.env.clone()).current_dir(&self.directory);
        command
    }

    /// Starts the command in a terminal.
    pub fn in_terminal(self) -> Terminal {
        Terminal::start(self)
    }

    /// Starts the command in a terminal, in the background of a shell that waits for it.
    pub fn in_background(self) -> Terminal {
        Terminal::start_in_shell(self, r#"set -m; "$@" & wait $!"#)
    }

    /// Starts the command in a terminal, with its stdout going to a line of shell.
    pub fn in_pipe(self, reader: &str) -> Terminal {
        Terminal::start_in_shell(self, &format!(r#""$@" | {{ {reader}; }}"#))
    }

    pub fn start(self) -> Running {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().expect("the program starts");
        if let (Some(text), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            // A command that refuses its arguments closes the pipe before it is read.
            let _ = pipe.write_all(text.as_bytes());
        }
        let stdout = Tape::record(child.stdout.take().expect("stdout is piped"));
        let stderr = Tape::record(child.stderr.take().expect("stderr is piped"));
        Running { child, stdout, stderr, began: Instant::now() }
    }

    /// Runs the command to its end.
    pub fn done(self) -> Done {
        self.start().done()
    }

    /// The same for a command that compiles.
    pub fn build_done(self) -> Done {
        self.start().done_within(COMPILE_DEADLINE)
    }
}

/// A command under way. Killed when dropped, so that a failing test leaves nothing behind.
pub struct Running {
    child: Child,
    pub stdout: Tape,
    pub stderr: Tape,
    began: Instant,
}

impl Running {
    /// What Ctrl-C sends.
    pub fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("the program runs");
    }

    /// What service managers send.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the program runs");
    }

    /// What no program can refuse.
    pub fn kill(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("the program runs");
    }

    /// Waits for a line of JSON output of this type.
    pub fn event(&self, kind: &str) -> Value {
        let found = self.stdout.wait(|text| {
            // The last piece may be half a line.
            let whole = text.rsplit_once('\n')?.0;
            whole.lines().map(json).find(|event| event["type"] == kind)
        });
        found.unwrap_or_else(|text| {
            panic!("no event `{kind}` in\n{text}\nstderr:\n{}", self.stderr.so_far())
        })
    }

    /// Waits for the end.
    pub fn done(self) -> Done {
        self.done_within(DEADLINE)
    }

    /// The same for what takes longer than anything else.
    pub(crate) fn done_within(mut self, deadline: Duration) -> Done {
        let status = wait_within(&mut self.child, deadline);
        let (stdout, stderr) = (self.stdout.so_far(), self.stderr.so_far());
        let Some(status) = status else {
            panic!("still running after {deadline:?}; stdout:\n{stdout}\nstderr:\n{stderr}")
        };
        let elapsed = self.began.elapsed();
        let all = |tape: &Tape| tape.all().expect("an ended process closes its outputs");
        Done { status, stdout: all(&self.stdout), stderr: all(&self.stderr), elapsed }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status once the process ended, `None` when the deadline passed.
pub fn wait(child: &mut Child) -> Option<ExitStatus> {
    wait_within(child, DEADLINE)
}

fn wait_within(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// A command that ended.
#[derive(Debug)]
pub struct Done {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Done {
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        let Self { status, stdout, stderr, .. } = &self;
        assert_eq!(
            status.code(),
            Some(code),
            "expected exit code {code}, got {status}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        );
        self
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.exited(0)
    }

    /// The lines of JSON output, each of which must be an object.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(json).collect()
    }

    /// Those of one type.
    #[track_caller]
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// The one event of a type.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let mut found = self.events_of(kind);
        assert_eq!(found.len(), 1, "one `{kind}` expected in\n{}", self.stdout);
        found.remove(0)
    }

    /// The answer, put together from the pieces in JSON output.
    #[track_caller]
    pub fn answer(&self) -> String {
        let text = |event: &Value| event["part"]["text"].as_str().map(str::to_owned);
        self.events_of("message").iter().filter_map(text).collect()
    }

    /// Lines of JSON output of one `kind`, which is how commands other than `run` print.
    #[track_caller]
    pub fn lines_of_kind(&self, kind: &str) -> impl Iterator<Item = Value> {
        self.events().into_iter().filter(move |line| line["kind"] == kind)
    }
}

#[track_caller]
fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
}
