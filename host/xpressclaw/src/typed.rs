//! Lines typed at a terminal while a turn runs: what steers it and what answers its questions.
//!
//! The terminal's own line discipline edits them, on a thread of its own that waits for a whole
//! line, so that it can be withdrawn between two of them: what is typed afterwards is the prompt's.

use std::io::{self, BufRead, PipeWriter, Read};

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

/// See the module.
pub struct Typed {
    typing: mpsc::UnboundedReceiver<Typing>,
    /// Dropped to withdraw the thread.
    stop: Option<PipeWriter>,
    #[cfg(not(unix))]
    sender: mpsc::UnboundedSender<Typing>,
}

impl Typed {
    /// Nothing is ever typed.
    pub fn nothing() -> Self {
        let (_sender, typing) = mpsc::unbounded_channel();
        Self {
            typing,
            stop: None,
            #[cfg(not(unix))]
            sender: _sender,
        }
    }

    /// Reads lines of the terminal from now on.
    #[cfg(unix)]
    pub fn terminal() -> io::Result<Self> {
        let (withdrawn, stop) = io::pipe()?;
        let (sender, typing) = mpsc::unbounded_channel();
        let read = move || {
            while wait::for_line(&withdrawn) {
                if !read_line(&sender) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("typed".into()).spawn(read)?;
        Ok(Self { typing, stop: Some(stop) })
    }

    /// A thread that reads cannot be withdrawn here: it reads only for a question, see `expect`.
    #[cfg(not(unix))]
    pub fn terminal() -> io::Result<Self> {
        Ok(Self::nothing())
    }

    /// A question is shown: a line is to come.
    pub fn expect(&self) {
        #[cfg(not(unix))]
        {
            let sender = self.sender.clone();
            std::thread::spawn(move || read_line(&sender));
        }
    }

    /// Reads what is piped in, to its end.
    pub fn pipe() -> io::Result<Self> {
        let (sender, typing) = mpsc::unbounded_channel();
        #[cfg(not(unix))]
        let kept = sender.clone();
        std::thread::Builder::new()
            .name("typed".into())
            .spawn(move || while read_line(&sender) {})?;
        Ok(Self {
            typing,
            stop: None,
            #[cfg(not(unix))]
            sender: kept,
        })
    }

    /// What was typed next; never resolves when nothing more will be. Cancel-safe.
    pub async fn next(&mut self) -> Typing {
        match self.typing.recv().await {
            Some(typing) => typing,
            None => std::future::pending().await,
        }
    }

    /// Leaves the terminal to others. Gives back lines that nobody took.
    pub async fn stop(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.stop.take().is_some() {
            // The thread ends now; what it had read comes first.
            while let Some(typing) = self.typing.recv().await {
                if let Typing::Line(line) = typing {
                    lines.push(line);
                }
            }
        }
        lines
    }
}

/// `false`: nothing more will come, or nobody listens.
fn read_line(typing: &mpsc::UnboundedSender<Typing>) -> bool {
    use std::io::IsTerminal;
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
