//! Programs of others that talk to the endpoint: official clients, as they are published, in small
//! scripts of `clients/`.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::wait;
use crate::{Endpoint, Place, Tape, program};

/// An official client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    OpenAiPython,
    OpenAiJs,
    AnthropicPython,
}

/// How it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// For an answer in one piece.
    Whole,
    /// For a stream, which the client puts together.
    Stream,
    /// For a stream, whose events are looked at one by one.
    Raw,
    /// For the list of models.
    Models,
}

/// What the program saw.
#[derive(Debug)]
pub struct Seen {
    /// The answers as the client understands them; of [`How::Models`] the models.
    pub answers: Vec<Value>,
    /// The events of [`How::Raw`], the types of those of [`How::Stream`].
    pub pieces: Vec<Value>,
    /// The client's own exception: `class`, `status`, `code`, `type`, `retry_after`, `message`.
    pub error: Option<Value>,
}

impl Seen {
    /// The answers, where nothing failed.
    #[track_caller]
    pub fn answered(self) -> Vec<Value> {
        assert_eq!(self.error, None, "{:?}", self.answers);
        self.answers
    }

    #[track_caller]
    pub fn failed(self) -> Value {
        self.error.unwrap_or_else(|| panic!("no error but {:?}", self.answers))
    }
}

impl Client {
    /// Runs a conversation: `request` as the client's own arguments, and what each tool answers when
    /// it is called, which is sent until none is.
    #[track_caller]
    pub fn converse(
        self,
        place: &Place,
        endpoint: &Endpoint,
        token: &str,
        how: How,
        request: &Value,
        tools: &Value,
    ) -> Seen {
        let how = match how {
            How::Whole => "whole",
            How::Stream => "stream",
            How::Raw => "raw",
            How::Models => "models",
        };
        let task = json!({
            "url": endpoint.url, "token": token, "how": how, "request": request, "tools": tools,
        });
        let (program, script) = match self {
            Self::OpenAiPython => ("python3", "openai_client.py"),
            Self::AnthropicPython => ("python3", "anthropic_client.py"),
            Self::OpenAiJs => ("node", "openai_client.cjs"),
        };
        let mut command = command(program.as_ref(), place);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script));
        let seen = output(command, &task.to_string());
        let mut seen: Value = serde_json::from_str(&seen).expect("the script prints JSON");
        let mut list = |name: &str| match seen[name].take() {
            Value::Array(items) => items,
            other => panic!("{name} is {other}"),
        };
        let (answers, pieces) = (list("answers"), list("pieces"));
        let error = Some(seen["error"].take()).filter(|error| !error.is_null());
        Seen { answers, pieces, error }
    }

    /// The same without tools.
    #[track_caller]
    pub fn ask(
        self,
        place: &Place,
        endpoint: &Endpoint,
        token: &str,
        how: How,
        request: &Value,
    ) -> Seen {
        self.converse(place, endpoint, token, how, request, &json!({}))
    }
}

/// A program of the machine with the packages of the clients, and nothing else of the test's own
/// environment: no key, no proxy.
pub fn command(program: &Path, place: &Place) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", env::var_os("PATH").expect("a PATH with the programs in it"))
        .env("HOME", place.home())
        .env("PYTHONPATH", program::client_packages_of_python())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NODE_PATH", program::client_packages())
        .current_dir(place.workspace());
    command
}

/// pi's command, on the Node.js that it needs.
pub fn pi(place: &Place) -> Command {
    let packages = program::client_packages();
    let mut command = command(&node(&packages), place);
    command
        .arg(packages.join("@earendil-works/pi-coding-agent/dist/bundle/cli.js"))
        .env("PI_OFFLINE", "1")
        .env("PI_TELEMETRY", "0")
        .env("PI_SKIP_VERSION_CHECK", "1");
    command
}

/// The Node.js among the packages: npm installs the one of this platform.
fn node(packages: &Path) -> PathBuf {
    let entries = packages.read_dir().expect("a folder of packages").flatten();
    let found = entries.map(|entry| entry.path().join("bin/node")).find(|path| path.is_file());
    found.expect("npm has no Node.js for this platform in tests/e2e/clients/package.json")
}

/// Runs it to its end, which must be a good one, and gives back what it printed.
#[track_caller]
pub fn output(mut command: Command, stdin: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("stdin is piped");
    pipe.write_all(stdin.as_bytes()).expect("the program reads");
    drop(pipe);
    let stdout = Tape::record(child.stdout.take().expect("stdout is piped"));
    let stderr = Tape::record(child.stderr.take().expect("stderr is piped"));
    let Some(status) = wait(&mut child) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} still runs: {} {}", stdout.so_far(), stderr.so_far())
    };
    let all = |tape: Tape| tape.all().expect("an ended process closes its outputs");
    let (stdout, stderr) = (all(stdout), all(stderr));
    assert!(status.success(), "{command:?} ended with {status}:\n{stdout}\n{stderr}");
    stdout
}
