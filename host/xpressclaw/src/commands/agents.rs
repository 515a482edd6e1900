//! Which agents there are, and whose rows a command is about.

use anyhow::Result;
use domain::AgentName;
use store::Store;
use store::session::SESSION_PAGE_MAX;

use super::open::Context;
use crate::exit::Failure;

/// The agents of the configuration, and those that had one of the last thousand sessions; by name.
pub fn known(context: &Context, store: &Store) -> Result<Vec<AgentName>> {
    let sessions = store.session().list(None, SESSION_PAGE_MAX)?;
    let mut agents: Vec<AgentName> = context
        .config
        .agents
        .iter()
        .map(|agent| agent.name.clone())
        .chain(sessions.into_iter().map(|session| session.agent))
        .collect();
    agents.sort();
    agents.dedup();
    Ok(agents)
}

/// The agent that was named, or the only one there is.
pub fn chosen(
    named: Option<&AgentName>,
    context: &Context,
    store: Option<&Store>,
) -> Result<AgentName> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    let agents = match store {
        Some(store) => known(context, store)?,
        None => context.config.agents.iter().map(|agent| agent.name.clone()).collect(),
    };
    Ok(only(agents)?)
}

fn only(mut agents: Vec<AgentName>) -> Result<AgentName, Failure> {
    match (agents.pop(), agents.as_slice()) {
        (Some(agent), []) => Ok(agent),
        (None, _) => Err(Failure::usage("whose? no agent is configured and none has run yet")
            .hint("name one, like `--agent pi`")),
        (Some(last), others) => {
            let names: Vec<_> = others.iter().chain([&last]).map(AgentName::as_str).collect();
            Err(Failure::usage(format!("whose? there are several agents: {}", names.join(", ")))
                .hint(format!("name one, like `--agent {last}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<AgentName> {
        names.iter().map(|name| AgentName::new(*name).unwrap()).collect()
    }

    #[test]
    fn only_the_only_one_needs_no_name() {
        assert_eq!(only(names(&["pi"])).unwrap().as_str(), "pi");
        assert!(only(Vec::new()).unwrap_err().message.contains("none has run"));
        let several = only(names(&["echo", "pi"])).unwrap_err();
        assert!(several.message.contains("echo, pi"), "{several}");
        assert_eq!(several.hint.as_deref(), Some("name one, like `--agent pi`"));
    }
}
