//! `budget set` and `budget clear`: caps that hold at once, in every process, and also for requests
//! that wait for money.

use anyhow::Result;
use domain::{AgentName, Scope, Window};
use store::Store;
use store::ledger::Cap;

use super::super::{Context, agents, now_ms, output};
use super::status;
use crate::caps::{configured, zone};
use crate::cli::{ClearArgs, SetArgs};
use crate::exit::{Exit, Failure};
use crate::harness_path;

pub fn set(context: &Context, args: &SetArgs) -> Result<Exit> {
    let store = context.store()?;
    let agent = args.agent.as_ref();
    let scope = scope(args.window, agent)?;
    if let Some(agent) = agent {
        must_exist(context, &store, agent)?;
    }
    let base = match effective(context, &store, agent, scope, args.window)? {
        Some(cap) => cap,
        None => Cap {
            warn_percent: vec![config::WARN_AT_DEFAULT],
            zone: zone(&context.config)?,
            ..Cap::new(scope, args.window, args.amount)
        },
    };
    let cap = Cap {
        amount: args.amount,
        on_exceeded: args.on_exceeded.map_or(base.on_exceeded, Into::into),
        fallback: args.fallback.clone().or(base.fallback),
        warn_percent: args.warn_at.clone().unwrap_or(base.warn_percent),
        ..base
    };
    store.ledger().set_cap(agent, &cap, now_ms())?;
    status::print_cap(context, &store, agent, (scope, args.window), args.format)
}

pub fn clear(context: &Context, args: &ClearArgs) -> Result<Exit> {
    let agent = args.agent.as_ref();
    let scope = scope(args.window, agent)?;
    let Some(store) = context.stored()? else { return Ok(Exit::Ok) };
    if !store.ledger().clear_cap(agent, scope, args.window)? {
        output::note("no such cap was set: nothing changed");
        return Ok(Exit::Ok);
    }
    match effective(context, &store, agent, scope, args.window)? {
        Some(cap) => output::note(&format!("the configured cap of {} holds again", cap.amount)),
        None => output::note("no cap of this kind is configured: it does not bound spending now"),
    }
    Ok(Exit::Ok)
}

/// Whose spend a cap over this window bounds.
fn scope(window: Window, agent: Option<&AgentName>) -> Result<Scope, Failure> {
    match (window, agent) {
        (Window::Task, Some(_)) => Ok(Scope::Task),
        (Window::Task, None) => {
            Err(Failure::usage("a cap on each task is of one agent")
                .hint("name it, like `--agent pi`"))
        }
        (_, Some(_)) => Ok(Scope::Agent),
        (_, None) => Ok(Scope::System),
    }
}

/// A cap on a misspelt name would bound nobody.
fn must_exist(context: &Context, store: &Store, agent: &AgentName) -> Result<(), Failure> {
    let mut names: Vec<String> = agents::known(context, store)
        .map_err(|e| Failure::new(Exit::Failed, "cannot list the agents").because(e))?
        .iter()
        .map(ToString::to_string)
        .chain(harness_path::list(&context.paths).into_iter().map(|found| found.name))
        .collect();
    if names.iter().any(|name| name == agent.as_str()) {
        return Ok(());
    }
    names.sort();
    names.dedup();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Failure::usage(format!("no agent `{agent}`; there are: {known}"))
        .hint("agents are those of xpressclaw.yaml, and harnesses by their name"))
}

/// The cap that binds now.
pub(super) fn effective(
    context: &Context,
    store: &Store,
    agent: Option<&AgentName>,
    scope: Scope,
    window: Window,
) -> Result<Option<Cap>> {
    // The caps of all agents are the same whoever asks.
    let asking = agent.cloned().map_or_else(|| AgentName::new("nobody"), Ok)?;
    let configured = configured(&context.config, context.config.agent(asking.as_str()))?;
    let caps = store.ledger().caps(&asking, &configured)?;
    Ok(caps.into_iter().find(|cap| (cap.scope, cap.window) == (scope, window)))
}
