//! The machine's tmux: what a user sees of it. A window `agent`, where every script and its output go by,
//! and a window `shell` to type into.
//!
//! Why it is apart from the agent: starting tmux and asking it things takes time, and tmux belongs to the
//! user, who may kill it. So everything here runs in processes of its own, which may block, and the agent
//! only starts them. It must never be what a command waits for.

mod server;
mod show;
mod terminal;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::agent::Settings;
use crate::environment::{self, Screen, Surroundings};
use crate::launch::{ControllingTerminal, Launch, TMUX_OOM};
use crate::report::say;
use crate::tree::this_program;

/// Where things are, as the words that these programs are started with.
#[derive(Debug, Clone)]
pub struct Places {
    run: PathBuf,
    workspace: PathBuf,
    around: Surroundings,
    /// The control group that tmux lives in.
    group: Option<PathBuf>,
}

impl Places {
    fn from_words(words: &[OsString]) -> Option<Self> {
        let [run, workspace, home, socket, rest @ ..] = words else { return None };
        let around = Surroundings { home: home.into(), socket: socket.into() };
        let group = rest.first().map(PathBuf::from);
        Some(Self { run: run.into(), workspace: workspace.into(), around, group })
    }

    fn words(&self) -> Vec<OsString> {
        let Surroundings { home, socket } = &self.around;
        let paths = [&self.run, &self.workspace, home, socket].into_iter().chain(&self.group);
        paths.map(|path| path.clone().into_os_string()).collect()
    }
}

pub fn words(settings: &Settings, group: Option<&Path>) -> Vec<OsString> {
    places(settings, group).words()
}

fn places(settings: &Settings, group: Option<&Path>) -> Places {
    Places {
        run: settings.run.clone(),
        workspace: settings.workspace.clone(),
        around: settings.around.clone(),
        group: group.map(Path::to_owned),
    }
}

/// Where the window `agent` gets what it shows.
pub fn mirror_socket(run: &Path) -> PathBuf {
    run.join("mirror.sock")
}

/// Starts the program that brings tmux up, and does not wait for it.
pub fn spawn(settings: &Settings, group: Option<&Path>) -> io::Result<()> {
    starter(&places(settings, group)).spawn().map(drop)
}

/// `tmux`, outside of whatever started it.
fn starter(places: &Places) -> Command {
    let launch =
        Launch { cgroup: places.group.clone(), oom: TMUX_OOM, terminal: ControllingTerminal::None };
    let mut command = launch.command(this_program().get_program());
    command.arg("tmux").args(places.words());
    command.envs(environment::base(Screen::Terminal, &places.around));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// `tmux`: brings the server and its windows up.
pub fn main(words: &[OsString]) -> ExitCode {
    run(words, server::ensure)
}

/// `terminal`: becomes one of the user's clients.
pub fn terminal(words: &[OsString]) -> ExitCode {
    run(words, terminal::attach)
}

/// `show`: what the window `agent` runs.
pub fn show(words: &[OsString]) -> ExitCode {
    match words {
        [socket] => done(show::copy(Path::new(socket))),
        _ => done(Err(io::Error::other("no socket"))),
    }
}

fn run(words: &[OsString], task: impl FnOnce(&Places) -> io::Result<()>) -> ExitCode {
    match Places::from_words(words) {
        Some(places) => done(task(&places)),
        None => done(Err(io::Error::other("places are missing"))),
    }
}

fn done(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("tmux: {error}"));
            ExitCode::FAILURE
        }
    }
}
