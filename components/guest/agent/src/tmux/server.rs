//! Brings up what is missing: the server, the session, its windows.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{Places, mirror_socket};

const CONFIGURATION: &str = include_str!("tmux.conf");

pub const SESSION: &str = "=machine";
const SESSION_NAME: &str = "machine";
pub const AGENT: &str = "agent";
const SHELL: &str = "shell";

/// A client of the machine's server.
pub fn tmux(run: &Path) -> Command {
    let mut command = Command::new("tmux");
    // `-u`: UTF-8, whatever the locale says.
    command.arg("-u").arg("-S").arg(run.join("tmux.sock")).arg("-f").arg(run.join("tmux.conf"));
    command
}

/// Idempotent. Several at once do it one after another.
pub fn ensure(places: &Places) -> io::Result<()> {
    let run = &places.run;
    let lock = File::create(run.join("tmux.lock"))?;
    lock.lock()?;
    fs::write(run.join("tmux.conf"), CONFIGURATION)?;
    let program = std::env::current_exe()?;
    let socket = mirror_socket(run);
    let workspace = &places.workspace;
    if !ask(tmux(run).args(["has-session", "-t", SESSION]))?.status.success() {
        let mut new = tmux(run);
        new.args(["new-session", "-d", "-s", SESSION_NAME, "-n", AGENT, "-c"]).arg(workspace);
        do_it(new.arg(&program).arg("show").arg(&socket))?;
    }
    let listed = ask(tmux(run).args(["list-windows", "-t", SESSION, "-F", "#W"]))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let has = |name| listed.lines().any(|line| line == name);
    if !has(AGENT) {
        // Before all others: that is where the user looks for it.
        let mut new = tmux(run);
        new.args(["new-window", "-d", "-b", "-t", "=machine:^", "-n", AGENT, "-c"]).arg(workspace);
        do_it(new.arg(&program).arg("show").arg(&socket))?;
    }
    if !has(SHELL) {
        let mut new = tmux(run);
        new.args(["new-window", "-d", "-a", "-t", "=machine:$", "-n", SHELL, "-c"]);
        do_it(new.arg(workspace))?;
    }
    Ok(())
}

pub fn ask(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn do_it(command: &mut Command) -> io::Result<()> {
    let output = ask(command)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}
