//! `xpressclaw token`: who may use the endpoint.

use anyhow::Result;
use domain::AgentName;
use endpoint::mint;
use store::token::{Token, TokenError, TokenId};

use super::table::{Align, Table};
use super::{Context, now_ms, output, time};
use crate::cli::{Format, TokenCommand};
use crate::exit::{Exit, Failure};

pub fn run(context: &Context, command: TokenCommand) -> Result<Exit> {
    match command {
        TokenCommand::Mint { agent, name } => make(context, &agent, &name),
        TokenCommand::List { agent, format } => list(context, agent.as_ref(), format),
        TokenCommand::Revoke { id } => revoke(context, &id),
    }
}

fn make(context: &Context, agent: &AgentName, name: &str) -> Result<Exit> {
    if !context.config.agents.iter().any(|known| known.name == *agent) {
        return Err(super::serve::no_agent(&context.config, agent).into());
    }
    let token = mint()
        .map_err(|error| Failure::new(Exit::Failed, "no randomness for a token").because(error))?;
    let store = context.store()?;
    let id = store.token().add(agent, name, &token.digest(), now_ms()).map_err(failure)?;
    output::print(&format!("{token}\n"))?;
    output::note(&format!(
        "token {id} of agent {agent}; it is shown this once. `xpressclaw token revoke {id}` ends it"
    ));
    Ok(Exit::Ok)
}

fn list(context: &Context, agent: Option<&AgentName>, format: Format) -> Result<Exit> {
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    let rows = store.token().list(agent).map_err(failure)?;
    if rows.is_empty() {
        output::note("there is no token");
    }
    match format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => output::print(&table(rows))?,
    }
    Ok(Exit::Ok)
}

fn table(rows: Vec<Token>) -> String {
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("MINTED", Align::Left),
        ("AGENT", Align::Left),
        ("STATE", Align::Left),
        ("NAME", Align::Left),
    ]);
    for row in rows {
        let state = match row.revoked {
            Some(at) => format!("revoked {}", time::local(at)),
            None => "good".to_owned(),
        };
        table.row([
            row.id.to_string().into(),
            time::local(row.minted).into(),
            row.agent.as_str().into(),
            state.into(),
            row.name.into(),
        ]);
    }
    table.render()
}

fn revoke(context: &Context, id: &str) -> Result<Exit> {
    let unknown = || failure(TokenError::NotFound { id: id.to_owned() });
    let store = context.stored_quietly()?.ok_or_else(unknown)?;
    let parsed = TokenId::parse(id).ok_or_else(unknown)?;
    store.token().revoke(parsed, now_ms()).map_err(failure)?;
    output::print(&format!("{id}\n"))?;
    Ok(Exit::Ok)
}

fn failure(error: TokenError) -> anyhow::Error {
    let failure = match &error {
        TokenError::Invalid(_) => Failure::usage("the token cannot be made"),
        TokenError::NotFound { .. } => {
            Failure::usage("no such token").hint("`xpressclaw token list` shows them")
        }
        TokenError::Database(_) => Failure::new(Exit::Failed, "the store failed"),
    };
    failure.because(error).into()
}
