//! The last step before a command's own program, in the process that becomes it.
//!
//! Why it exists: between `fork` and `exec` a program may do next to nothing, and nothing at all in safe
//! Rust. So the agent starts this one, which puts itself into its control group, lets the kernel choose it
//! rather than the agent when memory ends, makes a session (and a terminal its own), and then becomes the
//! command. Built and read back in this module alone.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::report::say;

/// What a shell answers for a command that cannot be run.
const CANNOT_RUN: u8 = 126;

/// `oom_score_adj` of commands and of tmux: when memory ends, a command goes before the windows do,
/// and both before the agent (-1000, never).
pub const COMMAND_OOM: i32 = 500;
pub const TMUX_OOM: i32 = 0;

const CGROUP: &str = "--cgroup=";
const OOM: &str = "--oom=";
const CONTROLLING: &str = "--controlling-terminal";

/// How a program is to be launched.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The control group to join.
    pub cgroup: Option<PathBuf>,
    pub oom: i32,
    pub terminal: ControllingTerminal,
}

/// Whether standard input becomes the terminal of the new session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControllingTerminal {
    None,
    Stdin,
}

impl Launch {
    /// A command that becomes `program`, without variables.
    pub fn command(&self, program: &OsStr) -> Command {
        let mut command = crate::tree::this_program();
        command.arg("launch").env_clear();
        if let Some(cgroup) = &self.cgroup {
            command.arg(joined(CGROUP, cgroup.as_os_str()));
        }
        command.arg(format!("{OOM}{}", self.oom));
        if self.terminal == ControllingTerminal::Stdin {
            command.arg(CONTROLLING);
        }
        command.arg("--").arg(program);
        command
    }
}

fn joined(option: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(option);
    word.push(value);
    word
}

/// `launch`: returns only on failure.
pub fn main(words: &[OsString]) -> ExitCode {
    let Some(end) = words.iter().position(|word| word == "--") else {
        say("launch: no program");
        return ExitCode::from(CANNOT_RUN);
    };
    for word in &words[..end] {
        if let Err(error) = prepare(word) {
            say(format_args!("cannot launch: {}: {error}", word.display()));
            return ExitCode::from(CANNOT_RUN);
        }
    }
    let Some((program, rest)) = words[end + 1..].split_first() else {
        say("launch: no program");
        return ExitCode::from(CANNOT_RUN);
    };
    let error = Command::new(program).args(rest).exec();
    say(format_args!("cannot run {}: {error}", program.display()));
    ExitCode::from(CANNOT_RUN)
}

/// The options come in the order in which they are to be done; the session is made before the terminal.
fn prepare(word: &OsStr) -> std::io::Result<()> {
    let text = word.to_str().unwrap_or_default();
    if let Some(cgroup) = text.strip_prefix(CGROUP) {
        fs::write(Path::new(cgroup).join("cgroup.procs"), "0")?;
    } else if let Some(score) = text.strip_prefix(OOM) {
        // Not allowed without rights to some values; then the command is as likely as the agent.
        let _ = fs::write("/proc/self/oom_score_adj", score);
        // As everybody is; to be less than the agent is always allowed.
        let _ = rustix::process::setpriority_process(None, 0);
        rustix::process::setsid()?;
    } else if text == CONTROLLING {
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
    }
    Ok(())
}
