//! One process of the host: its outputs, its input, its end. Knows nothing of messages' order or of
//! other processes; `agent` asks it and tells the host.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use machine_protocol::{Exit, MAX_DATA, Size, Stream, WINDOW};
use rustix::io::Errno;
use rustix::process::{Pid, WaitStatus};
use rustix::termios::{Winsize, tcsetwinsize};

use super::window::{Overrun, Taken, Window};
use crate::tree::Tree;

/// How long outputs may stay open after the tree was killed: somebody outside of it may hold them, and what
/// the pipes still have shall be delivered first.
const CLOSING: Duration = Duration::from_secs(2);

/// Ctrl-D, which a terminal in its usual mode takes as the end.
const END_OF_INPUT: u8 = 4;

/// What a process was started with.
#[derive(Debug)]
pub struct Ends {
    pub pid: Pid,
    pub outputs: Vec<(Stream, OwnedFd)>,
    pub input: OwnedFd,
    /// Another of the terminal, to set its size.
    pub terminal: Option<OwnedFd>,
}

/// Whether anybody wants its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In the window `agent`, too.
    Mirrored,
    Plain,
}

#[derive(Debug)]
pub struct Process {
    pub pid: Pid,
    pub shown: Shown,
    /// Gone when the tree was given to be killed or let live.
    pub tree: Option<Tree>,
    /// When the tree is killed.
    pub deadline: Option<Instant>,
    outputs: Vec<(Stream, OwnedFd)>,
    /// Bytes of output that the host takes.
    allowed: u64,
    input: Option<OwnedFd>,
    closing_input: bool,
    window: Window,
    terminal: Option<OwnedFd>,
    killed: Option<Exit>,
    exit: Option<Exit>,
    /// Bytes in the outputs when it ended: what it wrote itself, which goes before the news of its end.
    owed: Vec<(Stream, u64)>,
    exit_is_told: bool,
    /// When outputs are closed, whoever holds them.
    close_at: Option<Instant>,
}

/// A piece of output.
#[derive(Debug)]
pub enum Read {
    Data(Stream, Vec<u8>),
    /// Nothing now, or nothing any more.
    Nothing,
}

impl Process {
    pub fn new(ends: Ends, tree: Tree, shown: Shown, deadline: Option<Instant>) -> Self {
        Self {
            pid: ends.pid,
            shown,
            tree: Some(tree),
            deadline,
            outputs: ends.outputs,
            allowed: u64::from(WINDOW),
            input: Some(ends.input),
            closing_input: false,
            window: Window::default(),
            terminal: ends.terminal,
            killed: None,
            exit: None,
            owed: Vec::new(),
            exit_is_told: false,
            close_at: None,
        }
    }

    /// What to wait for so that [`Process::read`] has something.
    pub fn readable(&self) -> impl Iterator<Item = (Stream, BorrowedFd<'_>)> {
        let wanted = self.allowed > 0;
        self.outputs.iter().filter(move |_| wanted).map(|(stream, fd)| (*stream, fd.as_fd()))
    }

    /// The input, and whether something waits to be written to it. A pipe tells by itself that nobody
    /// reads it any more; a terminal is not asked.
    pub fn writable(&self) -> Option<(BorrowedFd<'_>, bool)> {
        let input = self.input.as_ref()?;
        let pending = !self.window.is_empty();
        (pending || self.terminal.is_none()).then_some((input.as_fd(), pending))
    }

    /// At most one piece of output.
    pub fn read(&mut self, stream: Stream) -> Read {
        let Some(at) = self.outputs.iter().position(|(other, _)| *other == stream) else {
            return Read::Nothing;
        };
        let most = usize::try_from(self.allowed).unwrap_or(MAX_DATA).min(MAX_DATA);
        if most == 0 {
            return Read::Nothing;
        }
        let mut data = vec![0; most];
        match rustix::io::read(&self.outputs[at].1, &mut data[..]) {
            Ok(count) if count > 0 => {
                data.truncate(count);
                self.allowed -= count as u64;
                self.pay(stream, count as u64);
                Read::Data(stream, data)
            }
            Err(Errno::INTR | Errno::AGAIN) => Read::Nothing,
            // A terminal that nobody has open any more fails instead of ending.
            Ok(_) | Err(_) => {
                self.outputs.remove(at);
                self.pay(stream, u64::MAX);
                Read::Nothing
            }
        }
    }

    fn pay(&mut self, stream: Stream, bytes: u64) {
        for (_, owed) in self.owed.iter_mut().filter(|(other, _)| *other == stream) {
            *owed = owed.saturating_sub(bytes);
        }
    }

    pub fn allow(&mut self, bytes: u32) {
        self.allowed = self.allowed.saturating_add(bytes.into());
    }

    /// Input; thrown away when nobody reads it.
    pub fn push(&mut self, data: &[u8]) -> Result<(), Overrun> {
        match self.input.is_some() && !self.closing_input {
            true => self.window.push(data),
            false => Ok(()),
        }
    }

    pub fn close_input(&mut self) {
        if self.input.is_none() || self.closing_input {
            return;
        }
        if self.terminal.is_some() {
            self.window.push_control(END_OF_INPUT);
            return;
        }
        self.closing_input = true;
        self.close_written_input();
    }

    fn close_written_input(&mut self) {
        if self.closing_input && self.window.is_empty() {
            self.input = None;
        }
    }

    /// Writes input. `None` when it was closed before.
    pub fn write(&mut self) -> Option<Taken> {
        let input = self.input.as_ref()?;
        let taken = self.window.write(input);
        self.close_written_input();
        Some(taken)
    }

    /// Nobody reads it any more. Whether that is news for the host, which knows what it closed itself.
    pub fn input_broke(&mut self) -> bool {
        let news = self.input.is_some() && !self.closing_input;
        self.input = None;
        self.window = Window::default();
        news
    }

    pub fn resize(&self, size: Size) {
        if let Some(terminal) = &self.terminal {
            // The kernel sends SIGWINCH.
            let _ = tcsetwinsize(terminal, winsize(size));
        }
    }

    /// The tree was given to be killed because its time was up.
    pub fn timed_out(&mut self, now: Instant) {
        self.killed = Some(Exit::TimedOut);
        self.deadline = None;
        self.close_at = Some(now + CLOSING);
    }

    /// Nobody wants its output.
    pub fn discard(&mut self) {
        self.outputs.clear();
        self.owed.clear();
        self.input = None;
        self.deadline = None;
    }

    pub fn exited(&mut self, status: WaitStatus) {
        let number = |value: Option<i32>| value.and_then(|value| u8::try_from(value).ok());
        let own = match number(status.terminating_signal()) {
            Some(signal) => Exit::Signal(signal),
            None => Exit::Code(number(status.exit_status()).unwrap_or(u8::MAX)),
        };
        self.exit = Some(self.killed.unwrap_or(own));
        let waiting = |fd: &OwnedFd| rustix::io::ioctl_fionread(fd).unwrap_or(0);
        self.owed = self.outputs.iter().map(|(stream, fd)| (*stream, waiting(fd))).collect();
        if let Some(tree) = &mut self.tree {
            tree.root_is_gone();
        }
    }

    /// How it ended, once, when what it wrote before is sent.
    pub fn news_of_exit(&mut self) -> Option<Exit> {
        if self.exit_is_told || self.owed.iter().any(|(_, bytes)| *bytes > 0) {
            return None;
        }
        self.exit_is_told = self.exit.is_some();
        self.exit
    }

    pub fn is_running(&self) -> bool {
        self.exit.is_none()
    }

    /// The command ended, and so did its output.
    pub fn is_ended(&self) -> bool {
        self.exit.is_some() && self.outputs.is_empty()
    }

    /// When something is to be done without being asked.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.deadline, self.close_at].into_iter().flatten().min()
    }

    /// Closes what should have closed by itself.
    pub fn close_overdue(&mut self, now: Instant) {
        if self.close_at.is_some_and(|at| now >= at) {
            self.close_at = None;
            self.outputs.clear();
            self.owed.clear();
        }
    }
}

pub fn winsize(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}
