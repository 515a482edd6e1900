//! The person at the terminal: whether there is one, Ctrl-C, and lines at the prompt.

use std::io::IsTerminal;
use std::sync::mpsc;

use anyhow::Result;
use rustyline::error::ReadlineError;
use tokio::sync::oneshot;

/// Whether a person can be asked: they must see the question and be able to answer.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Ctrl-C, from the moment this is made: one that comes between two waits is not lost.
pub struct Interrupts {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
}

impl Interrupts {
    pub fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        #[cfg(windows)]
        let signal = tokio::signal::windows::ctrl_c()?;
        Ok(Self { signal })
    }

    /// The next one. Cancel-safe.
    pub async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// What the user did at the prompt.
pub enum Line {
    Text(String),
    Interrupted,
    End,
}

/// Line editing with a history, on a thread of its own, because reading a terminal blocks.
pub struct Lines {
    ask: mpsc::Sender<oneshot::Sender<Result<Line, ReadlineError>>>,
}

impl Lines {
    pub fn new() -> Result<Self> {
        let mut editor = rustyline::DefaultEditor::new()?;
        let (ask, asked) = mpsc::channel::<oneshot::Sender<Result<Line, ReadlineError>>>();
        std::thread::Builder::new().name("prompt".into()).spawn(move || {
            for answer in asked {
                let line = match editor.readline("> ") {
                    Ok(text) => {
                        let _ = editor.add_history_entry(&text);
                        Ok(Line::Text(text))
                    }
                    Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                    Err(ReadlineError::Eof) => Ok(Line::End),
                    Err(error) => Err(error),
                };
                if answer.send(line).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { ask })
    }

    /// The next line. Not cancel-safe: a dropped read still takes the line.
    pub async fn read(&mut self) -> Result<Line> {
        let (answer, line) = oneshot::channel();
        if self.ask.send(answer).is_err() {
            return Ok(Line::End);
        }
        Ok(line.await.unwrap_or(Ok(Line::End))?)
    }
}
