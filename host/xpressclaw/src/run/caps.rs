//! From budgets in configuration and flags to the ledger's caps.

use anyhow::Result;
use config::{Agent, Budget, Config};
use domain::{NanoDollars, Scope, Window};
use store::ledger::{Cap, Zone};

use crate::cli::{OnExceeded, RunArgs};
use crate::exit::Failure;

/// Every cap that binds a run.
pub fn caps(config: &Config, agent: Option<&Agent>, args: &RunArgs) -> Result<Vec<Cap>> {
    let zone = match &config.time_zone {
        Some(name) => Zone::parse(name)
            .map_err(|e| Failure::usage("`time_zone` cannot be used").because(e))?,
        None => Zone::UTC,
    };
    let mut caps = of(&config.budget, Scope::System, &zone);
    if let Some(agent) = agent {
        caps.extend(of(&agent.budget, Scope::Agent, &zone));
    }
    if let Some(amount) = &args.budget {
        let amount = NanoDollars::parse(amount)
            .map_err(|e| Failure::usage("`--budget` cannot be used").because(e))?;
        caps.push(Cap {
            on_exceeded: match args.on_exceeded {
                OnExceeded::Degrade => domain::OnExceeded::Degrade,
                OnExceeded::Pause => domain::OnExceeded::Pause,
                OnExceeded::Stop => domain::OnExceeded::Stop,
                OnExceeded::Alert => domain::OnExceeded::Alert,
            },
            warn_percent: vec![config::WARN_AT_DEFAULT],
            ..Cap::new(Scope::Task, Window::Task, amount)
        });
    }
    Ok(caps)
}

fn of(budget: &Budget, scope: Scope, zone: &Zone) -> Vec<Cap> {
    budget
        .caps()
        .map(|(window, amount)| {
            // A cap on a task counts the task, whoever wrote it.
            let scope = if window == Window::Task { Scope::Task } else { scope };
            Cap {
                on_exceeded: budget.on_exceeded,
                warn_percent: budget.warn_at.clone(),
                fallback: budget.fallback_model.clone(),
                zone: zone.clone(),
                ..Cap::new(scope, window, amount)
            }
        })
        .collect()
}
