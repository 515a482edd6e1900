//! `xpressclaw logs`: what agents and their harnesses said beside their answers.

use anstyle::Style;
use anyhow::Result;
use domain::SessionId;
use store::log::{Level, Tail};

use super::table::{Align, Cell, Table};
use super::{Context, output, time};
use crate::cli::{Format, LogsArgs};
use crate::exit::Exit;
use crate::render::{DIM, RED, YELLOW};

pub fn run(context: &Context, args: &LogsArgs) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let tail = Tail {
        agent: args.agent.as_ref(),
        session: args.session.as_ref(),
        level: args.level,
        after: None,
    };
    let lines = store.log().tail(&tail, args.lines)?;
    if lines.is_empty() {
        output::note("no line of the log matches");
    }
    if args.format == Format::Json {
        output::print_json(&lines)?;
        return Ok(Exit::Ok);
    }
    // A log has no head: it is read by `grep` as often as by people.
    let mut table = Table::new(&[("", Align::Left); 5]);
    for line in lines {
        table.row([
            Cell::styled(time::local(line.at), DIM),
            Cell::styled(line.level.as_str(), style(line.level)),
            line.agent.as_str().into(),
            Cell::styled(line.session.as_ref().map_or("", SessionId::as_str), DIM),
            line.message.into(),
        ]);
    }
    output::print(&table.render())?;
    Ok(Exit::Ok)
}

fn style(level: Level) -> Style {
    match level {
        Level::Trace | Level::Debug => DIM,
        Level::Info => Style::new(),
        Level::Warn => YELLOW,
        Level::Error => RED,
    }
}
