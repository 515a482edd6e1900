//! Turns: run them, show them, let what is typed steer them and Ctrl-C cancel them.

use std::time::Duration;

use anyhow::Result;
use domain::event::Stop;
use domain::{Event, Part};
use session::{TurnError, TurnReport};

use super::Opened;
use super::watch::Watch;
use crate::cli::{Format, RunArgs};
use crate::exit::{Exit, Failure, print};
use crate::render::Printer;
use crate::terminal::{Interrupts, Line, Lines};

/// After so long without a word from the model the user is told that it is at work: a local model
/// reads a long prompt for half a minute.
const PATIENCE: Duration = Duration::from_secs(3);

/// One prompt to its end, or a conversation until the user ends it.
pub async fn converse(opened: &mut Opened, prompt: Option<String>, args: &RunArgs) -> Result<Exit> {
    if let Some(prompt) = prompt {
        return once(opened, vec![Part::Text(prompt)], args).await;
    }
    let mut lines = Lines::new()?;
    opened.show.printer.note(&format!(
        "session {}; a line typed during a turn steers it; Ctrl-C cancels a turn, Ctrl-D ends the \
         conversation",
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
        if let Opened { watch: Some(watch), runtime, session, show, .. } = opened {
            watch.refresh(runtime, session, &show.printer);
        }
        let mut report = turn(opened, prompt).await?;
        if opened.show.printer.is_closed() {
            return Ok(Exit::Failed);
        }
        pending = std::mem::take(&mut report.leftovers);
        exit = ended(report, args).unwrap_or_else(|error| print(&error));
        if !pending.is_empty() {
            opened.show.printer.note("not taken in that turn, so it is the next prompt");
        }
    }
}

/// One prompt, and then what somebody steered and the harness did not take.
async fn once(opened: &mut Opened, mut prompt: Vec<Part>, args: &RunArgs) -> Result<Exit> {
    loop {
        let report = turn(opened, prompt).await?;
        if opened.show.printer.is_closed() {
            return Ok(Exit::Failed);
        }
        let done = matches!(&report.result, Ok(stop) if *stop != Stop::Cancelled);
        if report.leftovers.is_empty() || !done {
            if !report.leftovers.is_empty() {
                let left = domain::content::plain_text(&report.leftovers);
                opened.show.printer.note(&format!("not taken in that turn: {left}"));
            }
            return ended(report, args);
        }
        opened.show.printer.note("not taken in that turn, so it is the next prompt");
        prompt = report.leftovers;
    }
}

/// Waits until something changed and builds it; `false` when the user ends the watching.
pub async fn again(watch: &mut Watch, args: &RunArgs) -> Result<bool> {
    let mut interrupts = Interrupts::listen()?;
    loop {
        Printer::new(args.format).note("watching for changes; Ctrl-C ends it");
        tokio::select! {
            biased;
            () = interrupts.next() => return Ok(false),
            () = watch.changed() => {}
        }
        match watch.rebuild() {
            Ok(()) => return Ok(true),
            Err(error) => {
                print(&error);
            }
        }
    }
}

/// Runs one turn and shows its events as they come. When nobody reads them any more the turn is
/// cancelled, so that what it used is settled and no more is used.
async fn turn(opened: &mut Opened, prompt: Vec<Part>) -> Result<TurnReport> {
    let mut interrupts = Interrupts::listen()?;
    let Opened { session, events, show, runtime, socket, .. } = opened;
    let mut typed = show.typing()?;
    let mut running = std::pin::pin!(session.turn(prompt));
    let (mut interrupted, mut closed) = (false, false);
    let mut waiting: Option<(tokio::time::Instant, String)> = None;
    let mut report = loop {
        tokio::select! {
            biased;
            () = interrupts.next() => {
                if interrupted {
                    show.printer.note("quitting");
                    socket.remove();
                    std::process::exit(Exit::Cancelled as i32);
                }
                interrupted = true;
                show.printer.note("cancelling; press Ctrl-C again to quit at once");
                show.cancel();
            }
            Some(event) = events.next() => {
                waiting = match &event {
                    Event::StepStarted { model, .. } => {
                        Some((tokio::time::Instant::now() + PATIENCE, model.clone()))
                    }
                    _ => None,
                };
                show.event(&event);
                if show.printer.is_closed() && !closed {
                    closed = true;
                    show.cancel();
                }
            }
            note = show.next_note() => {
                // What came before it is shown before it.
                while let Some(event) = events.try_next() {
                    show.event(&event);
                }
                show.note(note, &mut typed);
            }
            typing = typed.next() => show.typed(typing, &mut typed),
            model = until(waiting.clone()) => {
                waiting = None;
                show.printer.note(&format!("waiting for {model}: it reads the prompt"));
            }
            report = &mut running => break report,
        }
    };
    while let Some(event) = events.try_next() {
        show.event(&event);
    }
    while let Some(note) = show.try_note() {
        show.note(note, &mut typed);
    }
    // Nobody can give this turn anything any more; what somebody did until now is not lost.
    report.leftovers.extend(show.left());
    let typed = typed.stop().await.into_iter().filter(|line| !line.trim().is_empty());
    report.leftovers.extend(typed.map(Part::Text));
    show.printer.end_of_turn();
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
    let exit = Exit::from(error.fault());
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
