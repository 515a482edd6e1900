//! Turns: run them, print them, let Ctrl-C cancel them.

use std::time::Duration;

use anyhow::Result;
use domain::event::Stop;
use domain::{Event, Part, TurnInput};
use session::{TurnError, TurnReport};

use super::Opened;
use crate::cli::{Format, RunArgs};
use crate::exit::{Exit, Failure, print};
use crate::terminal::{Interrupts, Line, Lines};

/// After so long without a word from the model the user is told that it is at work: a local model
/// reads a long prompt for half a minute.
const PATIENCE: Duration = Duration::from_secs(3);

/// One turn with a prompt, or a conversation until the user ends it.
pub async fn converse(mut opened: Opened, prompt: Option<String>, args: &RunArgs) -> Result<Exit> {
    if let Some(prompt) = prompt {
        let report = turn(&mut opened, vec![Part::Text(prompt)]).await?;
        return if opened.printer.is_closed() { Ok(Exit::Failed) } else { ended(report, args) };
    }
    let mut lines = Lines::new()?;
    opened.printer.note(&format!(
        "session {}; Ctrl-C cancels a turn, Ctrl-D ends the conversation",
        opened.session.id()
    ));
    let mut exit = Exit::Ok;
    let mut pending: Vec<Part> = Vec::new();
    loop {
        let prompt = if pending.is_empty() {
            match lines.read().await? {
                Line::Text(text) if text.trim().is_empty() => continue,
                Line::Text(text) => vec![Part::Text(text)],
                Line::Interrupted => continue,
                Line::End => return Ok(exit),
            }
        } else {
            std::mem::take(&mut pending)
        };
        let report = turn(&mut opened, prompt).await?;
        if opened.printer.is_closed() {
            return Ok(Exit::Failed);
        }
        pending = report.leftovers.clone();
        exit = ended(report, args).unwrap_or_else(|error| print(&error));
    }
}

/// Runs one turn and prints its events as they come. When nobody reads them any more the turn is
/// cancelled, so that what it used is settled and no more is used.
async fn turn(opened: &mut Opened, prompt: Vec<Part>) -> Result<TurnReport> {
    let mut interrupts = Interrupts::listen()?;
    let handle = opened.session.handle();
    let Opened { session, events, printer, runtime } = opened;
    let mut running = std::pin::pin!(session.turn(prompt));
    let mut cancelled = false;
    let mut waiting: Option<(tokio::time::Instant, String)> = None;
    let report = loop {
        tokio::select! {
            biased;
            () = interrupts.next() => {
                if cancelled {
                    printer.note("quitting");
                    std::process::exit(Exit::Cancelled as i32);
                }
                cancelled = true;
                printer.note("cancelling; press Ctrl-C again to quit at once");
                // A cancellation is never refused.
                let _ = handle.send(TurnInput::Cancel);
            }
            Some(event) = events.next() => {
                waiting = match &event {
                    Event::StepStarted { model, .. } => {
                        Some((tokio::time::Instant::now() + PATIENCE, model.clone()))
                    }
                    _ => None,
                };
                printer.event(&event);
                if printer.is_closed() && !cancelled {
                    cancelled = true;
                    let _ = handle.send(TurnInput::Cancel);
                }
            }
            model = until(waiting.clone()) => {
                waiting = None;
                printer.note(&format!("waiting for {model}: it reads the prompt"));
            }
            report = &mut running => break report,
        }
    };
    while let Some(event) = events.try_next() {
        printer.event(&event);
    }
    printer.end_of_turn();
    runtime.pipeline().drain().await;
    Ok(report)
}

/// Resolves at the given time with the model that is waited for; never without one.
async fn until(waiting: Option<(tokio::time::Instant, String)>) -> String {
    match waiting {
        Some((at, model)) => {
            tokio::time::sleep_until(at).await;
            model
        }
        None => std::future::pending().await,
    }
}

/// The exit code of a turn. A failure was printed as an event in JSON already.
fn ended(report: TurnReport, args: &RunArgs) -> Result<Exit> {
    let error = match report.result {
        Ok(Stop::Cancelled) => return Ok(Exit::Cancelled),
        Ok(_) => return Ok(Exit::Ok),
        Err(error) => error,
    };
    let exit = match &error {
        TurnError::Invalid(_) | TurnError::NoImages | TurnError::TooLarge(_) => Exit::Usage,
        TurnError::Model(_) => Exit::Model,
        TurnError::Budget(_) => Exit::Budget,
        TurnError::Session(_) => Exit::Failed,
        _ => Exit::Harness,
    };
    if args.format == Format::Json {
        return Ok(exit);
    }
    let mut failure = Failure::new(exit, "the turn failed");
    failure.hint = match &error {
        TurnError::Budget(_) => {
            Some("`xpressclaw budget` shows the caps; raise one with `xpressclaw budget set`, or the run's own with `--budget`".into())
        }
        TurnError::Trap(_) | TurnError::OutOfMemory(_) | TurnError::Harness(_) => {
            Some("`xpressclaw logs` shows what the harness printed".into())
        }
        _ => None,
    };
    Err(failure.because(error).into())
}
