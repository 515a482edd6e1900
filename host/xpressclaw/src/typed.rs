//! Lines typed at a terminal while a turn runs: what steers it and what answers its questions.
//!
//! The terminal's own line discipline edits them, on a thread of its own that waits for a whole
//! line, so that it can be withdrawn between two of them: what is typed afterwards is the prompt's.
//! A pipe's lines are read to its end and are never given back.

use std::io::{self, BufRead, IsTerminal, PipeWriter, Read};

use tokio::sync::mpsc;

/// A line that is piped in; a terminal has its own limit, far below.
const LINE_MAX_BYTES: u64 = 1 << 20;

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Typing {
    Line(String),
    /// Ctrl-D, or the end of what is piped in.
    End,
}

/// When a terminal is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// From the beginning.
    Always,
    /// Only for a question: whoever pages our output reads the same keys.
    WhenAsked,
}

/// See the module.
pub struct Typed {
    typing: mpsc::UnboundedReceiver<Typing>,
    sender: mpsc::UnboundedSender<Typing>,
    /// Of a terminal; `None` reads for no question.
    reading: Option<Reading>,
    /// Dropped to withdraw the thread that reads.
    stop: Option<PipeWriter>,
}

impl Typed {
    /// Nothing is ever typed.
    pub fn nothing() -> Self {
        let (sender, typing) = mpsc::unbounded_channel();
        Self { typing, sender, reading: None, stop: None }
    }

    /// Lines of the terminal: from now on where all that is printed goes there, too.
    pub fn terminal() -> io::Result<Self> {
        // Where a thread that reads cannot be withdrawn, it reads for questions only.
        let reading = match cfg!(unix) && io::stdout().is_terminal() {
            true => Reading::Always,
            false => Reading::WhenAsked,
        };
        let mut typed = Self { reading: Some(reading), ..Self::nothing() };
        if reading == Reading::Always {
            typed.read(reading)?;
        }
        Ok(typed)
    }

    /// What is piped in, to its end.
    pub fn pipe() -> io::Result<Self> {
        let typed = Self::nothing();
        let sender = typed.sender.clone();
        thread("piped").spawn(move || while read_line(&sender) {})?;
        Ok(typed)
    }

    /// A question is shown: a line is to come.
    pub fn expect(&mut self) {
        if self.reading == Some(Reading::WhenAsked) {
            // Without a thread the question is for those who watch.
            let _ = self.read(Reading::WhenAsked);
        }
    }

    /// No question is open any more.
    pub fn rest(&mut self) {
        if self.reading == Some(Reading::WhenAsked) {
            self.stop = None;
        }
    }

    fn read(&mut self, reading: Reading) -> io::Result<()> {
        let (withdrawn, stop) = io::pipe()?;
        let sender = self.sender.clone();
        thread("typed").spawn(move || {
            while wait::for_line(&withdrawn) && read_line(&sender) && reading == Reading::Always {}
        })?;
        self.stop = Some(stop);
        Ok(())
    }

    /// What was typed next; never resolves when nothing more will be. Cancel-safe.
    pub async fn next(&mut self) -> Typing {
        match self.typing.recv().await {
            Some(typing) => typing,
            None => std::future::pending().await,
        }
    }

    /// Leaves the terminal to others. Gives back lines that nobody took.
    pub async fn stop(self) -> Vec<String> {
        let Self { mut typing, sender, stop, .. } = self;
        drop((sender, stop));
        let mut lines = Vec::new();
        // A withdrawn thread ends at once; what it had read comes first.
        while let Some(typing) =
            if cfg!(unix) { typing.recv().await } else { typing.try_recv().ok() }
        {
            if let Typing::Line(line) = typing {
                lines.push(line);
            }
        }
        lines
    }
}

fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.into())
}

/// `false`: nothing more will come, or nobody listens.
fn read_line(typing: &mpsc::UnboundedSender<Typing>) -> bool {
    let stdin = io::stdin();
    let mut line = String::new();
    match stdin.lock().take(LINE_MAX_BYTES).read_line(&mut line) {
        Ok(0) => typing.send(Typing::End).is_ok() && stdin.is_terminal(),
        Ok(_) => typing.send(Typing::Line(line.trim_end_matches(['\n', '\r']).to_owned())).is_ok(),
        Err(_) => {
            let _ = typing.send(Typing::End);
            false
        }
    }
}

#[cfg(unix)]
mod wait {
    use std::io::PipeReader;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    /// How often a process in the background looks whether it is in the foreground again.
    const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

    /// Waits for a line; `false` when withdrawn first, or when the terminal is gone. In the
    /// background it waits for the foreground: whoever reads there is stopped by the system.
    pub fn for_line(withdrawn: &PipeReader) -> bool {
        let stdin = std::io::stdin();
        loop {
            let here = in_foreground();
            let mut watched =
                [PollFd::new(withdrawn, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
            let count = if here { 2 } else { 1 };
            match poll(&mut watched[..count], (!here).then_some(&LOOK_AGAIN)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return false,
            }
            if !watched[0].revents().is_empty() {
                return false;
            }
            let typed = watched[1].revents();
            if here && typed.contains(PollFlags::IN) {
                if in_foreground() {
                    return true;
                }
            } else if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return false;
            }
        }
    }

    /// A terminal that controls nobody can be read by everybody.
    fn in_foreground() -> bool {
        let stdin = std::io::stdin();
        rustix::termios::tcgetpgrp(&stdin).map_or(true, |group| group == rustix::process::getpgrp())
    }
}

#[cfg(not(unix))]
mod wait {
    /// It cannot be withdrawn here.
    pub fn for_line(_: &std::io::PipeReader) -> bool {
        true
    }
}
