//! The person at the terminal: reading lines, answering questions.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc;

use anyhow::Result;
use async_trait::async_trait;
use harness::User;
use rustyline::error::ReadlineError;
use tokio::sync::oneshot;

use crate::render::plain;

/// Whether a person can be asked: they must see the question and be able to answer.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
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
    async fn ask(&self, question: &str, choices: &[String]) -> Option<String> {
        if !self.present {
            return None;
        }
        let question = plain(question);
        let choices = choices.to_vec();
        tokio::task::spawn_blocking(move || read_answer(&question, &choices)).await.ok().flatten()
    }
}

fn read_answer(question: &str, choices: &[String]) -> Option<String> {
    let mut stderr = anstream::stderr().lock();
    let stdin = std::io::stdin();
    loop {
        writeln!(stderr, "\n? {question}").ok()?;
        for (number, choice) in (1..).zip(choices) {
            writeln!(stderr, "  {number}) {}", plain(choice)).ok()?;
        }
        write!(stderr, "? ").ok()?;
        stderr.flush().ok()?;
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
        writeln!(stderr, "  type a number from 1 to {}", choices.len()).ok()?;
    }
}
