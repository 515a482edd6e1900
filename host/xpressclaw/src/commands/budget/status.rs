//! Every cap that binds and how far it is used; totals per agent and session.

use anstyle::Style;
use anyhow::Result;
use domain::chat::Usage;
use domain::{AgentName, BudgetLine, OnExceeded, Scope, SessionId, Window};
use serde::Serialize;
use store::Store;
use store::ledger::{Cap, Filter, Totals};

use super::super::output::{self, Money};
use super::super::table::{Align, Cell, Table};
use super::super::{Context, now_ms, time};
use crate::caps::configured;
use crate::cli::{Format, ShowArgs};
use crate::exit::Exit;
use crate::render::{BOLD, RED, YELLOW, tokens};

/// Sessions of one agent that are listed, the last used first: older ones are asked for by name.
const SESSIONS_SHOWN: u32 = 20;

/// One line of the answer.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row {
    Cap(CapRow),
    Total(TotalRow),
}

#[derive(Serialize)]
struct CapRow {
    scope: Scope,
    /// `None`: all agents.
    agent: Option<AgentName>,
    window: Window,
    cap: Money,
    /// `None`, like the next two: every task or run has an amount of its own.
    settled: Option<Money>,
    reserved: Option<Money>,
    available: Option<Money>,
    /// Milliseconds since the Unix epoch; `None`: never by itself.
    resets_at: Option<u64>,
    on_exceeded: OnExceeded,
    /// `configuration` or `command`.
    source: &'static str,
    /// Of the cap, settled and reserved; the highest percentage to warn at that was reached.
    #[serde(skip)]
    used: Option<(u128, Option<u8>)>,
}

#[derive(Serialize)]
struct TotalRow {
    /// `None`: all agents.
    agent: Option<AgentName>,
    /// `None`: all sessions.
    session: Option<SessionId>,
    requests: u64,
    usage: Usage,
    cost: Money,
    overshoot: Money,
}

pub fn run(
    context: &Context,
    store: &Store,
    args: &ShowArgs,
    agents: &[AgentName],
) -> Result<Exit> {
    let caps = caps(context, store, args.agent.as_ref(), agents)?;
    let totals = totals(store, args, agents)?;
    match args.format {
        Format::Json => {
            let rows = caps.into_iter().map(Row::Cap).chain(totals.into_iter().map(Row::Total));
            output::print_json(&rows.collect::<Vec<_>>())?;
        }
        Format::Text => {
            if caps.is_empty() {
                output::note("no cap is set: spending is not bounded");
            }
            let (caps, totals) = (caps_as_text(caps), totals_as_text(totals));
            let gap = if caps.is_empty() { "" } else { "\n" };
            output::print(&format!("{caps}{gap}{totals}"))?;
        }
    }
    Ok(Exit::Ok)
}

/// One cap and how far it is used.
pub(super) fn print_cap(
    context: &Context,
    store: &Store,
    agent: Option<&AgentName>,
    (scope, window): (Scope, Window),
    format: Format,
) -> Result<Exit> {
    let agents = agent.cloned().map_or_else(Vec::new, |agent| vec![agent]);
    let mut rows = caps(context, store, agent, &agents)?;
    rows.retain(|row| (row.scope, row.window, row.agent.as_ref()) == (scope, window, agent));
    match format {
        Format::Json => output::print_json(&rows.into_iter().map(Row::Cap).collect::<Vec<_>>())?,
        Format::Text => output::print(&caps_as_text(rows))?,
    }
    Ok(Exit::Ok)
}

/// The caps of all agents once, then those of each.
fn caps(
    context: &Context,
    store: &Store,
    named: Option<&AgentName>,
    agents: &[AgentName],
) -> Result<Vec<CapRow>> {
    let mut rows: Vec<CapRow> = Vec::new();
    let now = now_ms();
    // Without any agent the system's caps are still there; whose name is asked for is all the same.
    let nobody = [AgentName::new("nobody")?];
    let asked = if agents.is_empty() && named.is_none() { &nobody } else { agents };
    for agent in asked {
        let configured = configured(&context.config, context.config.agent(agent.as_str()))?;
        let lines = store.ledger().lines(agent, None, &configured, now)?;
        for cap in store.ledger().caps(agent, &configured)? {
            let of_all = cap.scope == Scope::System && cap.window != Window::Task;
            if of_all && rows.iter().any(|row| same_for_all(row, &cap)) {
                continue;
            }
            let line =
                lines.iter().find(|line| (line.scope, line.window) == (cap.scope, cap.window));
            rows.push(row(&cap, line, (!of_all).then(|| agent.clone())));
        }
    }
    rows.sort_by(|a, b| (a.scope, &a.agent, a.window).cmp(&(b.scope, &b.agent, b.window)));
    Ok(rows)
}

fn same_for_all(row: &CapRow, cap: &Cap) -> bool {
    (row.scope, row.window, row.agent.is_none()) == (cap.scope, cap.window, true)
}

fn row(cap: &Cap, line: Option<&BudgetLine>, agent: Option<AgentName>) -> CapRow {
    let used = line.map(|line| {
        let used = u128::from(line.settled.saturating_add(line.reserved).0);
        let percent = (used * 100).checked_div(u128::from(line.cap.0)).unwrap_or(100);
        (percent, cap.warning(line))
    });
    CapRow {
        scope: cap.scope,
        agent,
        window: cap.window,
        cap: cap.amount.into(),
        settled: line.map(|line| line.settled.into()),
        reserved: line.map(|line| line.reserved.into()),
        available: line.map(|line| line.available().into()),
        resets_at: line.and_then(|line| line.resets_at),
        on_exceeded: cap.on_exceeded,
        source: cap.source.as_str(),
        used,
    }
}

fn caps_as_text(rows: Vec<CapRow>) -> String {
    let mut table = Table::new(&[
        ("CAP ON", Align::Left),
        ("WINDOW", Align::Left),
        ("CAP", Align::Right),
        ("SETTLED", Align::Right),
        ("RESERVED", Align::Right),
        ("LEFT", Align::Right),
        ("USED", Align::Right),
        ("RESETS", Align::Left),
        ("WHEN SPENT", Align::Left),
        ("SET BY", Align::Left),
    ]);
    let text = |money: Option<Money>| money.map_or(String::new(), |money| money.text);
    for row in rows {
        let whose = match (&row.agent, row.scope) {
            (Some(agent), Scope::Task) => format!("each run of {agent}"),
            (Some(agent), _) => format!("agent {agent}"),
            (None, _) => "all agents".to_owned(),
        };
        let style = match row.used {
            Some((100.., _)) => RED,
            Some((_, Some(_))) => YELLOW,
            _ => Style::new(),
        };
        table.row([
            whose.into(),
            row.window.as_str().into(),
            row.cap.text.into(),
            text(row.settled).into(),
            text(row.reserved).into(),
            text(row.available).into(),
            Cell::styled(
                row.used.map_or(String::new(), |(percent, _)| format!("{percent} %")),
                style,
            ),
            row.resets_at.map_or(String::new(), time::local).into(),
            row.on_exceeded.as_str().into(),
            row.source.into(),
        ]);
    }
    table.render()
}

/// Sessions, their agents, everything: sums after what they are of.
fn totals(store: &Store, args: &ShowArgs, agents: &[AgentName]) -> Result<Vec<TotalRow>> {
    let mut rows = Vec::new();
    let total = |agent: Option<&AgentName>, session: Option<&SessionId>| -> Result<TotalRow> {
        let sum = store.ledger().totals(&Filter { agent, session, ..Filter::default() })?;
        Ok(total_row(agent, session, sum))
    };
    if let (Some(session), [agent]) = (&args.session, agents) {
        return Ok(vec![total(Some(agent), Some(session))?]);
    }
    for agent in agents {
        for session in store.session().list(Some(agent), SESSIONS_SHOWN)? {
            let row = total(Some(agent), Some(&session.id))?;
            if row.requests > 0 {
                rows.push(row);
            }
        }
        rows.push(total(Some(agent), None)?);
    }
    if args.agent.is_none() {
        rows.push(total(None, None)?);
    }
    Ok(rows)
}

fn total_row(agent: Option<&AgentName>, session: Option<&SessionId>, sum: Totals) -> TotalRow {
    TotalRow {
        agent: agent.cloned(),
        session: session.cloned(),
        requests: sum.requests,
        usage: sum.usage,
        cost: sum.cost.into(),
        overshoot: sum.overshoot.into(),
    }
}

fn totals_as_text(rows: Vec<TotalRow>) -> String {
    let mut table = Table::new(&[
        ("AGENT", Align::Left),
        ("SESSION", Align::Left),
        ("REQUESTS", Align::Right),
        ("TOKENS", Align::Left),
        ("OVERSHOOT", Align::Right),
        ("COST", Align::Right),
    ]);
    for row in rows {
        let style = if row.session.is_none() { BOLD } else { Style::new() };
        let overshoot = if row.overshoot.nano_dollars == 0 { "" } else { &row.overshoot.text };
        table.row([
            Cell::styled(row.agent.as_ref().map_or("all", AgentName::as_str), style),
            Cell::styled(row.session.as_ref().map_or("all", SessionId::as_str), style),
            Cell::styled(row.requests.to_string(), style),
            Cell::styled(tokens(&row.usage), style),
            Cell::styled(overshoot, RED),
            Cell::styled(row.cost.text, style),
        ]);
    }
    table.render()
}
