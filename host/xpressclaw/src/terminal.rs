//! The person at the terminal: reading lines, answering questions.

use std::io::{BufRead, IsTerminal, PipeReader, Write};
use std::sync::mpsc;

use anyhow::Result;
use async_trait::async_trait;
use domain::{Answer, Question, User};
use rustyline::error::ReadlineError;
use tokio::sync::oneshot;

use crate::render::plain;

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

/// Answers an agent's questions at the terminal, where there is one.
pub struct TerminalUser {
    present: bool,
}

impl TerminalUser {
    pub fn new(present: bool) -> Self {
        Self { present }
    }
}

#[async_trait]
impl User for TerminalUser {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        if !self.present {
            return None;
        }
        let text = plain(&question.text);
        let choices = question.choices.clone();
        // Closed when this future ends, also by a cancellation: a withdrawn question must not take
        // the line that is typed at the next prompt, nor keep the process from ending.
        let (withdrawn, _asking) = std::io::pipe().ok()?;
        let answer = move || read_answer(&text, &choices, &withdrawn);
        let text = tokio::task::spawn_blocking(answer).await.ok().flatten()?;
        Some(Answer { text, by: "terminal".into() })
    }
}

/// Asks until there is an answer; `None` at the end of the terminal, or when `withdrawn` is closed.
/// Holds no lock while it waits: a cancellation is announced on stderr.
fn read_answer(question: &str, choices: &[String], withdrawn: &PipeReader) -> Option<String> {
    let stdin = std::io::stdin();
    loop {
        let mut text = format!("\n? {question}\n");
        for (number, choice) in (1..).zip(choices) {
            text.push_str(&format!("  {number}) {}\n", plain(choice)));
        }
        show(&format!("{text}? "))?;
        if !line_typed(withdrawn) {
            return None;
        }
        let mut line = String::new();
        if stdin.lock().read_line(&mut line).ok()? == 0 {
            return None;
        }
        let typed = line.trim();
        if choices.is_empty() {
            return Some(typed.to_owned());
        }
        let by_number = typed.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
        let by_name = choices.iter().find(|choice| choice.as_str() == typed);
        if let Some(choice) = by_number.or(by_name) {
            return Some(choice.clone());
        }
        show(&format!("  type a number from 1 to {}\n", choices.len()))?;
    }
}

fn show(text: &str) -> Option<()> {
    let mut stderr = anstream::stderr().lock();
    stderr.write_all(text.as_bytes()).ok()?;
    stderr.flush().ok()
}

/// Waits for a line on stdin; `false` when `withdrawn` was closed first.
#[cfg(unix)]
fn line_typed(withdrawn: &PipeReader) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = std::io::stdin();
    loop {
        let mut watched =
            [PollFd::new(&stdin, PollFlags::IN), PollFd::new(withdrawn, PollFlags::IN)];
        match poll(&mut watched, None) {
            Ok(_) => return watched[1].revents().is_empty(),
            Err(rustix::io::Errno::INTR) => {}
            // What cannot be watched can still be read.
            Err(_) => return true,
        }
    }
}

#[cfg(not(unix))]
fn line_typed(_: &PipeReader) -> bool {
    true
}
