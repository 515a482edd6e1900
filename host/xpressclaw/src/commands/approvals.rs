//! `xpressclaw approvals`: what is remembered, and the audit log.

use anyhow::{Error, Result};
use domain::{AgentName, SessionId, Verdict};
use store::approval::{Approval, ApprovalError, Audited};

use super::table::{Align, Cell, Table};
use super::{Context, output, time};
use crate::cli::{ApprovalsCommand, Format};
use crate::exit::{Exit, Failure};
use crate::render::{DIM, RED};

/// Characters of a subject in a table; JSON has all of it.
const SUBJECT_CHARS: usize = 200;

pub fn run(context: &Context, command: ApprovalsCommand) -> Result<Exit> {
    match command {
        ApprovalsCommand::List { agent, limit, format } => {
            list(context, agent.as_ref(), limit, format)
        }
        ApprovalsCommand::Forget { id, format } => forget(context, &id, format),
        ApprovalsCommand::History { agent, session, lines, format } => {
            history(context, agent.as_ref(), session.as_ref(), lines, format)
        }
    }
}

fn list(context: &Context, agent: Option<&AgentName>, limit: u32, format: Format) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let rows = store.approval().list(agent, limit).map_err(failure)?;
    if rows.is_empty() {
        output::note("nothing is remembered");
    }
    match format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => output::print(&remembered(rows))?,
    }
    Ok(Exit::Ok)
}

fn remembered(rows: Vec<Approval>) -> String {
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("SINCE", Align::Left),
        ("AGENT", Align::Left),
        ("HOLDS", Align::Left),
        ("KIND", Align::Left),
        ("BY", Align::Left),
        ("SUBJECT", Align::Left),
    ]);
    for row in rows {
        let holds = match &row.session {
            Some(session) => format!("session {session}"),
            None => "for good".to_owned(),
        };
        table.row([
            row.id.to_string().into(),
            time::local(row.at).into(),
            row.agent.as_str().into(),
            holds.into(),
            row.kind.as_str().into(),
            row.by.into(),
            short(&row.subject).into(),
        ]);
    }
    table.render()
}

fn forget(context: &Context, id: &str, format: Format) -> Result<Exit> {
    let unknown = || failure(ApprovalError::NotFound { id: id.to_owned() });
    let store = context.stored_quietly()?.ok_or_else(unknown)?;
    let row = store.approval().forget(id).map_err(failure)?;
    match format {
        Format::Json => output::print_json(&[row])?,
        Format::Text => output::print(&format!("{}\n", row.id))?,
    }
    Ok(Exit::Ok)
}

fn history(
    context: &Context,
    agent: Option<&AgentName>,
    session: Option<&SessionId>,
    lines: u32,
    format: Format,
) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let rows = store.approval().history(agent, session, lines).map_err(failure)?;
    if rows.is_empty() {
        output::note("nothing was decided");
    }
    match format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => output::print(&decisions(rows))?,
    }
    Ok(Exit::Ok)
}

fn decisions(rows: Vec<Audited>) -> String {
    let mut table = Table::new(&[
        ("WHEN", Align::Left),
        ("AGENT", Align::Left),
        ("SESSION", Align::Left),
        ("KIND", Align::Left),
        ("VERDICT", Align::Left),
        ("BY", Align::Left),
        ("SUBJECT", Align::Left),
    ]);
    for row in rows {
        let style = match row.verdict {
            Verdict::Allowed => DIM,
            Verdict::Denied => RED,
        };
        table.row([
            time::local(row.at).into(),
            row.agent.as_str().into(),
            row.session.as_str().into(),
            row.kind.as_str().into(),
            Cell::styled(row.verdict.as_str(), style),
            row.by.into(),
            short(&row.subject).into(),
        ]);
    }
    table.render()
}

fn short(subject: &str) -> String {
    match subject.char_indices().nth(SUBJECT_CHARS) {
        Some((end, _)) => format!("{}…", &subject[..end]),
        None => subject.to_owned(),
    }
}

fn failure(error: ApprovalError) -> Error {
    match error {
        ApprovalError::Invalid(invalid) => Failure::usage(invalid.to_string()).into(),
        ApprovalError::NotFound { .. } => Failure::new(Exit::Failed, error.to_string())
            .hint("`xpressclaw approvals list` shows the ids")
            .into(),
        error => error.into(),
    }
}
