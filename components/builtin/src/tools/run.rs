//! The calls of one answer.
//!
//! They are looked at in their order. What runs here is run at once; a command or a tool of the
//! host is started, and all that was started is waited for together. Questions to the user come
//! last, because while one waits nothing else is looked at. Every call gets a result, also when the
//! turn is cancelled: providers refuse a history without one.

use super::{Args, Body, Failure, Found, Here, Outcome, Place, Tool, Toolbox, Way, bash, host};
use crate::events;
use crate::input::Inbox;
use crate::xpressclaw::base::wait::Waitable;
use crate::xpressclaw::harness::types::{Call, Kind, Location};
use crate::xpressclaw::llm::types::{ToolCall, ToolResult};

/// Runs all calls and gives their results, in the order of the calls.
pub fn run(
    calls: &[ToolCall],
    toolbox: &Toolbox,
    place: &Place,
    inbox: &mut Inbox,
) -> Vec<ToolResult> {
    let mut outcomes: Vec<Option<Outcome>> = calls.iter().map(|_| None).collect();
    let mut end = |index: usize, outcome: Outcome| {
        if let (Some(call), Some(place)) = (calls.get(index), outcomes.get_mut(index)) {
            events::outcome(&call.id, &outcome);
            *place = Some(outcome);
        }
    };
    let mut running: Vec<(usize, Running)> = Vec::new();
    let mut last: Vec<(usize, Args, Body)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let args = Args::parse(&call.arguments);
        let found = toolbox.find(&call.name);
        events::call(announced(call, found.as_ref(), args.as_ref().ok(), place));
        if inbox.cancelled() {
            end(index, Outcome::failed(Failure::cancelled()));
            continue;
        }
        match begin(call, found, args, place, inbox) {
            Ok(Begun::Over(outcome)) => end(index, outcome),
            Ok(Begun::Running(command)) => {
                events::in_progress(&call.id);
                running.push((index, command));
            }
            Ok(Begun::Later(args, run)) => last.push((index, args, run)),
            Err(failure) => end(index, Outcome::failed(failure)),
        }
    }
    while !running.is_empty() && !inbox.cancelled() {
        let on: Vec<&Waitable> =
            running.iter().flat_map(|(_, command)| command.waitables()).collect();
        inbox.wait(&on);
        running.retain_mut(|(index, command)| match command.advance(place) {
            Some(outcome) => {
                end(*index, outcome);
                false
            }
            None => true,
        });
    }
    // Dropping them ends them: the whole tree of a command's processes, a call of the host's tool.
    for (index, command) in running {
        drop(command);
        end(index, Outcome::failed(Failure::cancelled()));
    }
    for (index, args, run) in last {
        let outcome = if inbox.cancelled() {
            Err(Failure::cancelled())
        } else {
            here(run, &args, place, inbox)
        };
        end(index, outcome.unwrap_or_else(Outcome::failed));
    }
    let results = calls.iter().zip(outcomes).map(|(call, outcome)| {
        let outcome = outcome.unwrap_or_else(|| Outcome::failed(Failure::cancelled()));
        outcome.result(call.id.clone())
    });
    results.collect()
}

/// What became of a call at its beginning.
enum Begun {
    Over(Outcome),
    Running(Running),
    Later(Args, Body),
}

fn begin(
    call: &ToolCall,
    found: Option<Found>,
    args: Result<Args, Failure>,
    place: &Place,
    inbox: &mut Inbox,
) -> Result<Begun, Failure> {
    let name = &call.name;
    let found = found.ok_or_else(|| Failure::from(format!("there is no tool {name}")))?;
    let args = args?;
    Ok(match found {
        Found::Ours(Tool { way: Way::Here(run), .. }) => {
            Begun::Over(here(*run, &args, place, inbox)?)
        }
        Found::Ours(Tool { way: Way::Last(run), .. }) => Begun::Later(args, *run),
        Found::Ours(Tool { way: Way::Machine, .. }) => {
            let running = bash::Running::start(&args, &call.id)?;
            Begun::Running(Running::Command(Box::new(running)))
        }
        Found::Host(tool) => {
            let running = host::Running::start(&tool.name, &call.arguments, &call.id)?;
            Begun::Running(Running::Host(running))
        }
    })
}

fn here(run: Body, args: &Args, place: &Place, inbox: &mut Inbox) -> Result<Outcome, Failure> {
    run(args, &mut Here { place, interrupted: &mut || inbox.cancelled() })
}

/// What runs while others do.
enum Running {
    Command(Box<bash::Running>),
    Host(host::Running),
}

impl Running {
    fn waitables(&self) -> Vec<&Waitable> {
        match self {
            Self::Command(command) => command.waitables().collect(),
            Self::Host(call) => vec![&call.over],
        }
    }

    fn advance(&mut self, place: &Place) -> Option<Outcome> {
        match self {
            Self::Command(command) => command.advance(place),
            Self::Host(call) => call.advance(place),
        }
    }
}

/// A call as the user sees it.
fn announced(call: &ToolCall, found: Option<&Found>, args: Option<&Args>, place: &Place) -> Call {
    let (kind, shows) = match found {
        Some(Found::Ours(tool)) => (tool.kind, tool.shows),
        _ => (Kind::Other, ""),
    };
    let text = |name: &str| args.and_then(|args| args.maybe_text(name).ok().flatten());
    let path = text("path").filter(|_| shows == "path");
    let path = path.and_then(|path| place.readable(path).ok());
    let line = args.and_then(|args| args.count("offset", 0, usize::MAX).ok());
    let line = line.filter(|line| *line > 0).and_then(|line| u32::try_from(line).ok());
    Call {
        id: call.id.clone(),
        tool: call.name.clone(),
        kind,
        title: events::title(&call.name, text(shows).unwrap_or_default()),
        input: if args.is_some() { call.arguments.clone() } else { "{}".to_owned() },
        locations: path
            .into_iter()
            .map(|path| Location { path: path.to_string_lossy().into_owned(), line })
            .collect(),
    }
}
