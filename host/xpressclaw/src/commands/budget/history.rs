//! The last requests, each explained to the nano-dollar.

use anstyle::Style;
use anyhow::Result;
use domain::chat::Usage;
use domain::{AgentName, SessionId, TurnId};
use serde::Serialize;
use store::Store;
use store::ledger::{Ending, Filter, ReservationId, Spend};

use super::super::output::{self, Money, PricePerMillion};
use super::super::table::{Align, Cell, Table};
use super::super::time;
use crate::cli::{BudgetArgs, Format};
use crate::exit::Exit;
use crate::render::{DIM, RED, YELLOW};

/// A request as JSON.
#[derive(Serialize)]
struct Row {
    kind: &'static str,
    id: ReservationId,
    agent: AgentName,
    session: Option<SessionId>,
    turn: Option<TurnId>,
    task: String,
    requested_model: String,
    /// The one that it was routed to and priced as.
    model: String,
    /// The one that the provider says it served.
    served_model: Option<String>,
    usage: Usage,
    price: PricePerMillion,
    reserved: Money,
    cost: Money,
    overshoot: Money,
    ending: Ending,
    reserved_at: u64,
    settled_at: u64,
}

pub fn run(store: &Store, args: &BudgetArgs, rows: u32) -> Result<Exit> {
    let filter =
        Filter { agent: args.agent.as_ref(), session: args.session.as_ref(), ..Filter::default() };
    let spends = store.ledger().history(&filter, rows)?;
    if spends.is_empty() {
        output::note("no request matches");
    }
    match args.format {
        Format::Json => output::print_json(&spends.into_iter().map(row).collect::<Vec<_>>())?,
        Format::Text => output::print(&as_text(spends))?,
    }
    Ok(Exit::Ok)
}

fn row(spend: Spend) -> Row {
    Row {
        kind: "request",
        id: spend.id,
        agent: spend.agent,
        session: spend.session,
        turn: spend.turn,
        task: spend.task,
        requested_model: spend.requested_model,
        model: spend.model,
        served_model: spend.served_model,
        usage: spend.usage,
        price: spend.price.into(),
        reserved: spend.reserved.into(),
        cost: spend.cost.into(),
        overshoot: spend.overshoot.into(),
        ending: spend.ending,
        reserved_at: spend.reserved_at,
        settled_at: spend.settled_at,
    }
}

fn as_text(spends: Vec<Spend>) -> String {
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("WHEN", Align::Left),
        ("AGENT", Align::Left),
        ("SESSION", Align::Left),
        ("REQUESTED", Align::Left),
        ("SERVED", Align::Left),
        ("IN", Align::Right),
        ("CACHED", Align::Right),
        ("WRITTEN", Align::Right),
        ("OUT", Align::Right),
        ("REASONING", Align::Right),
        ("PER MILLION", Align::Left),
        ("RESERVED", Align::Right),
        ("COST", Align::Right),
        ("ENDING", Align::Left),
    ]);
    // A kind of token that no request used gets no column.
    let part = |tokens: u64| if tokens == 0 { String::new() } else { tokens.to_string() };
    for spend in spends {
        let served = spend.served_model.unwrap_or_default();
        let cost = if spend.overshoot.0 > 0 { RED } else { Style::new() };
        table.row([
            spend.id.to_string().into(),
            time::local(spend.reserved_at).into(),
            spend.agent.as_str().into(),
            spend.session.as_ref().map_or("", SessionId::as_str).into(),
            spend.requested_model.into(),
            served.into(),
            spend.usage.input.to_string().into(),
            part(spend.usage.cached).into(),
            part(spend.usage.cache_written).into(),
            spend.usage.output.to_string().into(),
            part(spend.usage.reasoning).into(),
            output::price(&spend.price).into(),
            spend.reserved.to_string().into(),
            Cell::styled(spend.cost.to_string(), cost),
            Cell::styled(spend.ending.as_str(), ending(spend.ending)),
        ]);
    }
    table.render()
}

fn ending(ending: Ending) -> Style {
    match ending {
        Ending::Settled => Style::new(),
        Ending::Released => DIM,
        Ending::Recovered => YELLOW,
    }
}
