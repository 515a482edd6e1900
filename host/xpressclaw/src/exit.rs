//! How a command ends: exit codes and the shape of errors.

use std::process::ExitCode;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use domain::Fault;

use crate::render::plain;

/// What the process ends with. Stable: scripts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Ok = 0,
    /// Something failed; the message says what.
    Failed = 1,
    /// Wrong usage or configuration: nothing was done.
    Usage = 2,
    /// The model or its provider failed.
    Model = 3,
    /// The budget is spent.
    Budget = 4,
    /// The harness crashed or was stopped.
    Harness = 5,
    /// Cancelled by the user (128 + SIGINT).
    Cancelled = 130,
}

impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Request => Self::Usage,
            Fault::Model => Self::Model,
            Fault::Budget => Self::Budget,
            Fault::Harness => Self::Harness,
            Fault::Host => Self::Failed,
        }
    }
}

/// An error with an exit code and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
    pub hint: Option<String>,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, source: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Prints an error with its causes and hint, and turns the result into an exit code.
pub fn report(result: anyhow::Result<Exit>) -> ExitCode {
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => print(&error),
    };
    ExitCode::from(exit as u8)
}

/// Prints an error and returns its exit code.
pub fn print(error: &anyhow::Error) -> Exit {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let mut text = String::new();
    let mut previous = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Wrappers that are transparent repeat their source.
        if cause != previous && !cause.is_empty() {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
        previous = cause;
    }
    #[allow(clippy::print_stderr)]
    {
        // Causes quote models, providers and files.
        eprintln!("{red}error{red:#}: {}", plain(&text));
        for hint in error
            .chain()
            .filter_map(|c| c.downcast_ref::<Failure>())
            .filter_map(|f| f.hint.as_ref())
        {
            let bold = Style::new().bold();
            eprintln!("{bold}hint{bold:#}: {}", plain(hint));
        }
    }
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(Exit::Failed, |failure| failure.exit)
}
