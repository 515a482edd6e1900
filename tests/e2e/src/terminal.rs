//! A real terminal with the program in it, and somebody who types.

use std::io::Write;
use std::process::Child;
use std::sync::Arc;

use pty_process::blocking::{Command, open};
use pty_process::{Size, blocking::Pty};
use rustix::process::{Pid, Signal, kill_process};

use crate::run::wait;
use crate::{DEADLINE, Run, Tape, program};

const ROWS: u16 = 24;
const COLUMNS: u16 = 100;

/// The program in a terminal: stdin, stdout and stderr are all of it. Killed when dropped.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    screen: Tape,
    /// Where in the output the next `see` begins.
    seen: usize,
}

/// What keys send.
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const ENTER: &str = "\r";

struct Reader(Arc<Pty>);

impl std::io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Terminal {
    pub(crate) fn start(run: Run) -> Self {
        let command = Command::new(program::executable()).args(&run.args);
        Self::spawn(run, command)
    }

    /// `script` has the program and its arguments as `"$@"`.
    pub(crate) fn start_in_shell(run: Run, script: &str) -> Self {
        let shell = Command::new("/bin/sh").args(["-c", script, "sh"]);
        let command = shell.arg(program::executable()).args(&run.args);
        Self::spawn(run, command)
    }

    fn spawn(run: Run, command: Command) -> Self {
        let (pty, pts) = open().expect("a pseudo terminal");
        pty.resize(Size::new(ROWS, COLUMNS)).expect("a size for the terminal");
        let command = command
            .env_clear()
            .envs(run.env)
            .env("TERM", "xterm-256color")
            .current_dir(&run.directory);
        let child = command.spawn(pts).expect("the program starts");
        let pty = Arc::new(pty);
        let screen = Tape::record(Reader(pty.clone()));
        Self { pty, child, screen, seen: 0 }
    }

    pub fn type_in(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    pub fn line(&self, text: &str) {
        self.type_in(text);
        self.type_in(ENTER);
    }

    /// Waits until `text` is printed after what was seen last.
    #[track_caller]
    pub fn see(&mut self, text: &str) {
        let seen = self.seen;
        let found = self.screen.wait(|all| {
            let rest = all.get(seen..)?;
            rest.find(text).map(|at| seen + at + text.len())
        });
        match found {
            Ok(end) => self.seen = end,
            Err(all) => panic!("no {text:?} after byte {seen} in\n{all:?}"),
        }
    }

    /// What no program can refuse.
    pub fn kill(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("the program runs");
    }

    /// Everything printed so far, escape sequences included.
    pub fn output(&self) -> String {
        self.screen.so_far()
    }

    /// Waits for the end and gives back the exit code with everything printed.
    #[track_caller]
    pub fn done(mut self) -> (i32, String) {
        let Some(status) = wait(&mut self.child) else {
            panic!("still running after {DEADLINE:?}:\n{:?}", self.output())
        };
        let output = self.screen.all().unwrap_or_else(|text| text);
        (status.code().expect("an exit code"), output)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
