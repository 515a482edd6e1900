//! From budgets of the configuration to the ledger's caps.

use anyhow::Result;
use config::{Agent, Budget, Config};
use domain::{Scope, Window};
use store::ledger::{Cap, Zone};

use crate::exit::Failure;

/// The caps that the configuration sets for an agent, those of all agents among them.
pub fn configured(config: &Config, agent: Option<&Agent>) -> Result<Vec<Cap>> {
    let zone = zone(config)?;
    let mut caps = of(&config.budget, Scope::System, &zone);
    if let Some(agent) = agent {
        caps.extend(of(&agent.budget, Scope::Agent, &zone));
    }
    Ok(caps)
}

/// Where days begin.
pub fn zone(config: &Config) -> Result<Zone> {
    match &config.time_zone {
        Some(name) => Zone::parse(name)
            .map_err(|e| Failure::usage("`time_zone` cannot be used").because(e).into()),
        None => Ok(Zone::UTC),
    }
}

fn of(budget: &Budget, scope: Scope, zone: &Zone) -> Vec<Cap> {
    let cap = |(window, amount)| {
        // A cap on a task counts the task, whoever wrote it.
        let scope = if window == Window::Task { Scope::Task } else { scope };
        Cap {
            on_exceeded: budget.on_exceeded,
            warn_percent: budget.warn_at.clone(),
            fallback: budget.fallback_model.clone(),
            zone: zone.clone(),
            ..Cap::new(scope, window, amount)
        }
    };
    budget.caps().map(cap).collect()
}
