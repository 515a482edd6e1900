//! Starting a process of the host: what it asks for is checked, pipes or a terminal are made, and the
//! launcher is started with them.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Start, Stdio};

use machine_protocol::{Command, Program, Refusal, Size, Stream};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::tcsetwinsize;

use super::process::{Ends, winsize};
use super::settings::Settings;
use crate::environment::{self, Screen};
use crate::launch::{COMMAND_OOM, ControllingTerminal, Launch};
use crate::tmux;
use crate::tree::{Place, this_program};

const BASH: &str = "/bin/bash";

/// Starts `command` in `place`.
///
/// # Errors
/// Nothing was started.
pub fn start(
    command: &Command,
    place: &Place,
    windows: Option<&Path>,
    settings: &Settings,
) -> Result<Ends, Refusal> {
    let cwd = directory(command, settings)?;
    for (name, value) in &command.env {
        if let Some(fault) = environment::fault(name, value) {
            return Err(Refusal::Invalid(fault));
        }
    }
    let terminal = match command.pty {
        Some(_) => ControllingTerminal::Stdin,
        None => ControllingTerminal::None,
    };
    let launch = Launch { cgroup: place.group(), oom: COMMAND_OOM, terminal };
    let mut start = match &command.program {
        Program::Script(script) if script.contains('\0') => {
            return Err(Refusal::Invalid("the script has a NUL in it".into()));
        }
        Program::Script(_) if !Path::new(BASH).is_file() => return Err(Refusal::NoShell),
        Program::Script(script) => {
            let mut start = launch.command(OsStr::new(BASH));
            // A script may begin with a dash.
            start.args(["-c", "--", script]);
            start
        }
        Program::Terminal if command.pty.is_none() => {
            return Err(Refusal::Invalid("a terminal without a size".into()));
        }
        Program::Terminal => {
            let mut start = launch.command(this_program().get_program());
            start.arg("terminal").args(tmux::words(settings, windows));
            start
        }
    };
    let screen = if command.pty.is_some() { Screen::Terminal } else { Screen::Pipes };
    start.envs(environment::base(screen, &settings.around)).current_dir(&cwd);
    start.envs(command.env.iter().map(|(name, value)| (name, value)));
    start.envs(place.marker());
    match command.pty {
        Some(size) => on_terminal(&mut start, size),
        None => on_pipes(&mut start),
    }
    .map_err(|error| Refusal::System(error.to_string()))
}

fn directory(command: &Command, settings: &Settings) -> Result<PathBuf, Refusal> {
    let cwd = match &command.cwd {
        None => settings.workspace.clone(),
        Some(cwd) if !cwd.starts_with('/') || cwd.contains('\0') => {
            return Err(Refusal::Invalid(format!("no absolute path: {cwd:?}")));
        }
        Some(cwd) => PathBuf::from(cwd),
    };
    match cwd.is_dir() {
        true => Ok(cwd),
        false => Err(Refusal::NoDirectory(cwd.display().to_string())),
    }
}

fn on_pipes(start: &mut Start) -> io::Result<Ends> {
    start.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start.spawn()?;
    let missing = || io::Error::other("a pipe is missing");
    let input = OwnedFd::from(child.stdin.take().ok_or_else(missing)?);
    let stdout = OwnedFd::from(child.stdout.take().ok_or_else(missing)?);
    let stderr = OwnedFd::from(child.stderr.take().ok_or_else(missing)?);
    for fd in [&input, &stdout, &stderr] {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    let outputs = vec![(Stream::Stdout, stdout), (Stream::Stderr, stderr)];
    Ok(Ends { pid: pid(&child), outputs, input, terminal: None })
}

fn on_terminal(start: &mut Start, size: Size) -> io::Result<Ends> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    tcsetwinsize(&ours, winsize(size))?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    start.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
    rustix::io::ioctl_fionbio(&ours, true)?;
    let copy = || ours.as_fd().try_clone_to_owned();
    let (input, terminal) = (copy()?, copy()?);
    let child = start.spawn()?;
    // `start` holds the other end until it is dropped; the caller drops it when this returns.
    let outputs = vec![(Stream::Stdout, ours)];
    Ok(Ends { pid: pid(&child), outputs, input, terminal: Some(terminal) })
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}
