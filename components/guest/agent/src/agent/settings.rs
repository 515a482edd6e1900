//! Where the agent finds things: in the machine, or beside one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::Surroundings;

/// Whether the system's clock is the host's to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Set,
    Leave,
}

/// Where the host speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The console's port.
    Port,
    Stdin,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub stream: Stream,
    pub clock: Clock,
    /// Sockets of the agent and of tmux.
    pub run: PathBuf,
    pub around: Surroundings,
    /// Where commands start.
    pub workspace: PathBuf,
    /// The folder for control groups of version 2; it need not be possible.
    pub groups: Option<PathBuf>,
}

/// Beside a machine: the host speaks on stdin, everything is below one folder.
const BESIDE: &str = "--beside";
const GROUPS: &str = "--groups";

impl Settings {
    /// No words: the machine's own places. `--beside DIR [--groups DIR]`: for tests, and for a host that
    /// runs commands without a machine.
    pub fn from_words(words: &[OsString]) -> Result<Self, String> {
        let mut words = words.iter();
        let mut settings = Self::machine();
        while let Some(word) = words.next() {
            let mut value = || words.next().map(PathBuf::from);
            match (word.to_str(), value()) {
                (Some(BESIDE), Some(folder)) => settings = Self::beside(&folder),
                (Some(GROUPS), Some(folder)) => settings.groups = Some(folder),
                _ => return Err(format!("agent: no such argument: {}", word.display())),
            }
        }
        Ok(settings)
    }

    fn machine() -> Self {
        Self {
            stream: Stream::Port,
            clock: Clock::Set,
            run: "/run/xpressclaw".into(),
            around: Surroundings { home: "/root".into(), socket: "/run/xclaw.sock".into() },
            workspace: "/workspace".into(),
            groups: Some("/sys/fs/cgroup/xpressclaw".into()),
        }
    }

    fn beside(folder: &Path) -> Self {
        Self {
            stream: Stream::Stdin,
            clock: Clock::Leave,
            run: folder.join("run"),
            around: Surroundings { home: folder.into(), socket: folder.join("xclaw.sock") },
            workspace: folder.join("workspace"),
            groups: None,
        }
    }
}
