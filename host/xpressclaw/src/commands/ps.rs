//! `xpressclaw ps`: the sessions that run now, in every process of the data directory.

use anyhow::Result;
use control::protocol::{Info, State};
use domain::{AgentName, SessionId, TurnId};
use serde::Serialize;

use super::output::Money;
use super::table::{Align, Cell, Table};
use super::{Context, attach, now_ms, output};
use crate::cli::{Format, PsArgs};
use crate::exit::Exit;
use crate::render::{BOLD, DIM, YELLOW, millis};

/// A session as JSON.
#[derive(Serialize)]
struct Row {
    session: SessionId,
    agent: AgentName,
    harness: String,
    model: String,
    state: State,
    turn: Option<TurnId>,
    since: u64,
    cost: Money,
    watchers: usize,
    questions: usize,
    pid: u32,
}

pub fn run(context: &Context, args: &PsArgs) -> Result<Exit> {
    let running = attach::running(&context.paths.control())?;
    if running.is_empty() {
        output::note("no sessions are running");
    }
    match args.format {
        Format::Json => output::print_json(&running.into_iter().map(row).collect::<Vec<_>>())?,
        Format::Text => output::print(&table(running, now_ms()).render())?,
    }
    Ok(Exit::Ok)
}

fn row((info, pid): (Info, u32)) -> Row {
    let Info {
        session, agent, harness, model, state, turn, since, cost, watchers, questions, ..
    } = info;
    let cost = cost.into();
    Row { session, agent, harness, model, state, turn, since, cost, watchers, questions, pid }
}

fn table(running: Vec<(Info, u32)>, now: u64) -> Table {
    let mut table = Table::new(&[
        ("SESSION", Align::Left),
        ("AGENT", Align::Left),
        ("HARNESS", Align::Left),
        ("MODEL", Align::Left),
        ("STATE", Align::Left),
        ("FOR", Align::Right),
        ("COST", Align::Right),
        ("WATCHERS", Align::Right),
        ("PID", Align::Right),
    ]);
    for (info, pid) in running {
        let style = match info.state {
            State::Idle => DIM,
            State::Running => BOLD,
            State::Asking => YELLOW,
        };
        let watchers = match info.watchers {
            0 => String::new(),
            watchers => watchers.to_string(),
        };
        table.row([
            info.session.to_string().into(),
            info.agent.to_string().into(),
            info.harness.into(),
            info.model.into(),
            Cell::styled(info.state.as_str(), style),
            millis(now.saturating_sub(info.since)).into(),
            info.cost.to_string().into(),
            watchers.into(),
            pid.to_string().into(),
        ]);
    }
    table
}
