//! `xpressclaw budget`: what may still be spent, and what was.

mod history;
mod status;

use anyhow::{Error, Result};
use domain::AgentName;
use store::Store;
use store::session::SessionError;

use super::{Context, agents};
use crate::cli::BudgetArgs;
use crate::exit::{Exit, Failure};

pub fn run(context: &Context, args: &BudgetArgs) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let whose = whose(context, &store, args)?;
    match args.history {
        Some(rows) => history::run(&store, args, rows),
        None => status::run(context, &store, args, &whose),
    }
}

/// The agents that the answer is about: the named one, the session's, or all.
fn whose(context: &Context, store: &Store, args: &BudgetArgs) -> Result<Vec<AgentName>> {
    let session = args.session.as_ref().map(|id| store.session().get(id));
    let session = session.transpose().map_err(failure)?;
    match (&args.agent, session) {
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
