//! A person's home directory and the program run in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use domain::AgentName;
use serde_json::Value;
use store::Store;
use tempfile::TempDir;

/// 2026-11-18, a Wednesday, 12:00 UTC.
pub const NOON: u64 = 1_795_003_200_000;
/// No command here takes a second; a busy machine may be a hundred times slower.
const DEADLINE: Duration = Duration::from_secs(120);
/// Everything that would let the machine into a test.
const OUTSIDE: [&str; 14] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "XPRESSCLAW_LOG_FORMAT",
    "XPRESSCLAW_CONFIG",
    "XPRESSCLAW_HARNESS_PATH",
    "XPRESSCLAW_LOCAL_MODEL",
    "XPRESSCLAW_LOG",
    "XPRESSCLAW_MODEL_MIRROR",
    "XPRESSCLAW_MACHINE_PATH",
    "XPRESSCLAW_MODEL_PATH",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "CLICOLOR_FORCE",
];

pub struct Home(TempDir);

/// How a run of the program ended.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file below the home and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `xpressclaw.yaml` in the working directory.
    pub fn configure(&self, yaml: &str) {
        self.file("xpressclaw.yaml", yaml);
    }

    /// The store, for rows that no command writes. Drop it before the program is run.
    pub fn store(&self) -> Store {
        Store::open(&self.data(), NOON).unwrap()
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Done {
        self.run_with(args, &[])
    }

    /// The same with further variables.
    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xpressclaw"));
        command
            .args(args)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XPRESSCLAW_DATA_DIR", self.data())
            .env("XPRESSCLAW_CACHE_DIR", self.path().join("cache"))
            .env("TZ", "UTC")
            .stdin(std::process::Stdio::null());
        for name in OUTSIDE {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || done.send(command.output()));
        let output = ended.recv_timeout(DEADLINE).expect("the program hangs").unwrap();
        Done {
            code: output.status.code().expect("killed by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which must succeed, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
        done.stdout
    }

    /// The same with `--format json`: one object a line.
    pub fn json(&self, args: &[&str]) -> Vec<Value> {
        let out = self.ok(&[args, &["--format", "json"]].concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs the program, which must end with this code, print no data and explain itself.
    #[track_caller]
    pub fn refused(&self, args: &[&str], code: i32, because: &[&str]) {
        let done = self.run(args);
        assert_eq!(done.code, code, "{args:?}: {done:?}");
        assert_eq!(done.stdout, "", "{args:?}");
        for part in because {
            assert!(done.stderr.contains(part), "{args:?}: no {part:?} in {}", done.stderr);
        }
    }
}

pub fn pi() -> AgentName {
    AgentName::new("pi").unwrap()
}
