//! From budgets in configuration and flags to the ledger's caps.

use anyhow::Result;
use config::{Agent, Config};
use domain::{NanoDollars, Scope, Window};
use store::ledger::{Cap, Source};

use crate::cli::RunArgs;
use crate::exit::Failure;

/// Every cap that binds a run.
pub fn caps(config: &Config, agent: Option<&Agent>, args: &RunArgs) -> Result<Vec<Cap>> {
    let mut caps = crate::caps::configured(config, agent)?;
    if let Some(amount) = &args.budget {
        let amount = NanoDollars::parse(amount)
            .map_err(|e| Failure::usage("`--budget` cannot be used").because(e))?;
        caps.push(Cap {
            on_exceeded: args.on_exceeded.into(),
            source: Source::Run,
            warn_percent: vec![config::WARN_AT_DEFAULT],
            ..Cap::new(Scope::Task, Window::Task, amount)
        });
    }
    Ok(caps)
}
