//! The last requests, each explained to the nano-dollar.

use anstyle::Style;
use anyhow::Result;
use domain::SessionId;
use store::Store;
use store::ledger::{Ending, Filter, Spend};

use super::super::output;
use super::super::table::{Align, Cell, Table};
use super::super::time;
use super::row::Row;
use crate::cli::{Format, HistoryArgs};
use crate::exit::Exit;
use crate::render::{DIM, RED, YELLOW};

pub fn run(store: &Store, args: &HistoryArgs) -> Result<Exit> {
    let filter =
        Filter { agent: args.agent.as_ref(), session: args.session.as_ref(), ..Filter::default() };
    let spends = store.ledger().history(&filter, args.limit)?;
    if spends.is_empty() {
        output::note("no request matches");
    }
    match args.format {
        Format::Json => output::print_json(&spends.into_iter().map(Row::from).collect::<Vec<_>>())?,
        Format::Text => output::print(&as_text(spends))?,
    }
    Ok(Exit::Ok)
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
