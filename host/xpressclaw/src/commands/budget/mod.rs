//! `xpressclaw budget`: what may still be spent, and what was.

mod explain;
mod history;
mod prices;
mod row;
mod set;
mod status;

use anyhow::{Error, Result};
use domain::{AgentName, SessionId};
use store::Store;
use store::session::SessionError;

use super::{Context, agents};
use crate::cli::{BudgetArgs, BudgetCommand};
use crate::exit::{Exit, Failure};

pub fn run(context: &Context, args: &BudgetArgs) -> Result<Exit> {
    match &args.command {
        Some(BudgetCommand::Set(args)) => return set::set(context, args),
        Some(BudgetCommand::Clear(args)) => return set::clear(context, args),
        Some(BudgetCommand::Prices(args)) => return prices::run(context, args),
        _ => {}
    }
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    match &args.command {
        Some(BudgetCommand::History(args)) => {
            whose(context, &store, args.agent.as_ref(), args.session.as_ref())?;
            history::run(&store, args)
        }
        Some(BudgetCommand::Explain(args)) => {
            whose(context, &store, args.agent.as_ref(), args.session.as_ref())?;
            explain::run(&store, args)
        }
        Some(BudgetCommand::Show(args)) => show(context, &store, args),
        _ => show(context, &store, &args.show),
    }
}

fn show(context: &Context, store: &Store, args: &crate::cli::ShowArgs) -> Result<Exit> {
    let whose = whose(context, store, args.agent.as_ref(), args.session.as_ref())?;
    status::run(context, store, args, &whose)
}

/// The agents that the answer is about: the named one, the session's, or all.
fn whose(
    context: &Context,
    store: &Store,
    agent: Option<&AgentName>,
    session: Option<&SessionId>,
) -> Result<Vec<AgentName>> {
    let session = session.map(|id| store.session().get(id)).transpose().map_err(failure)?;
    match (agent, session) {
        (Some(agent), Some(session)) if *agent != session.agent => Err(Failure::usage(format!(
            "session `{}` is of agent `{}`, not of `{agent}`",
            session.id, session.agent
        ))
        .into()),
        (_, Some(session)) => Ok(vec![session.agent]),
        (Some(agent), None) => Ok(vec![agent.clone()]),
        (None, None) => agents::known(context, store),
    }
}

fn failure(error: SessionError) -> Error {
    match error {
        SessionError::NotFound(_) => Failure::new(Exit::Failed, error.to_string())
            .hint("`xpressclaw budget` shows the sessions that spent something")
            .into(),
        error => error.into(),
    }
}
