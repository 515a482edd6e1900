//! The file as a whole.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use approvals::Rules;

use crate::agent::{Agent, Top};
use crate::approvals::read as rules;
use crate::budget::Budget;
use crate::field::{Field, Keys};
use crate::limits::{self, Limits};
use crate::local::Local;
use crate::machine::Machine;
use crate::mcp::McpServer;
use crate::provider::{Provider, collect};
use crate::registry::Registry;
use crate::trust::Trust;

/// The version of the layout that this program reads.
pub const VERSION: u32 = 1;

/// `xpressclaw.yaml`. Every key is optional; without a file everything has its default. Relative
/// paths are relative to the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The file that this was read from; `None` when there is none.
    pub file: Option<PathBuf>,
    /// `agents`, in the order of the file.
    pub agents: Vec<Agent>,
    /// `budget`: of all agents together.
    pub budget: Budget,
    /// `limits`: of each agent that says nothing else.
    pub limits: Limits,
    /// `limits.concurrent_together`: requests of all agents of a process at the same time.
    pub concurrent_together: Option<NonZeroU32>,
    /// `approvals`: what is allowed, asked for and denied, for every agent.
    pub approvals: Rules,
    /// `time_zone`: in which days, weeks and months begin, an IANA name. `None` is UTC.
    pub time_zone: Option<String>,
    /// `model`: for agents that name none; `None` is the local model.
    pub model: Option<String>,
    /// `mcp_servers`, by name: whose tools agents may be given.
    pub mcp_servers: BTreeMap<String, McpServer>,
    /// `providers`, by name.
    pub providers: BTreeMap<String, Provider>,
    /// `local`: the model that runs on this machine.
    pub local: Local,
    /// `machine`: of each agent that says nothing else; `None` is one where its image is.
    pub machine: Option<Machine>,
    /// `registry`: where harnesses come from.
    pub registry: Registry,
    /// `trust`, in the order of the file: whose signatures are asked for.
    pub trust: Vec<Trust>,
}

pub(crate) const KEYS: Keys = Keys {
    known: &[
        "version",
        "agents",
        "budget",
        "limits",
        "approvals",
        "time_zone",
        "model",
        "mcp_servers",
        "providers",
        "local",
        "machine",
        "registry",
        "trust",
    ],
    later: &[],
};

impl Config {
    /// The agent of this name.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.name.as_str() == name)
    }

    pub(crate) fn read(field: &Field<'_>) -> Self {
        let Some(table) = field.table(&KEYS) else { return Self::default() };
        if let Some(version) = table.get("version") {
            version.number::<u32>(VERSION.into()..=VERSION.into());
        }
        let budget = match table.get("budget") {
            Some(field) => Budget::default().read(&field),
            None => Budget::default(),
        };
        let mcp_servers = collect(table.get("mcp_servers").as_ref(), McpServer::read);
        // A server with a mistake in it is there all the same: the mistake is reported once.
        let named = table.get("mcp_servers").and_then(|field| {
            let names = field.named()?.map(|(name, _)| name.to_owned());
            Some(names.collect::<Vec<_>>())
        });
        let servers = named.unwrap_or_default();
        let limits = table.get("limits");
        let together = limits.as_ref().and_then(Limits::together);
        let limits = limits.map(|field| Limits::default().read(&field, &limits::TOP_KEYS));
        let limits = limits.unwrap_or_default();
        let machine = table.get("machine").and_then(|field| Machine::read(&field));
        let top = Top { system: &budget, limits, servers: &servers, machine };
        let agents = table.get("agents").map(|field| Agent::read_all(&field, &top));
        let providers = table.get("providers");
        Self {
            file: None,
            agents: agents.unwrap_or_default(),
            budget,
            limits,
            concurrent_together: together,
            approvals: table.get("approvals").map(|f| rules(&f)).unwrap_or_default(),
            time_zone: table.get("time_zone").and_then(|f| f.parsed(time_zone)),
            model: table.get("model").and_then(|f| f.model()),
            mcp_servers,
            providers: collect(providers.as_ref(), Provider::read),
            local: table.get("local").map(|field| Local::read(&field)).unwrap_or_default(),
            machine,
            registry: table.get("registry").map(|f| Registry::read(&f)).unwrap_or_default(),
            trust: table.get("trust").map(|field| Trust::read_all(&field)).unwrap_or_default(),
        }
    }
}

fn time_zone(name: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(format!(
            "`{name}` is not a time zone of this machine; write an IANA name like \
             `Europe/Berlin`, or `UTC`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::{agent, approvals, budget, limits, local, machine, mcp, provider, registry, trust};

    /// What the documentation calls complete is complete.
    #[test]
    fn the_full_example_holds_every_key() {
        let example = include_str!("../tests/data/valid/full.yaml");
        let all = [
            &super::KEYS,
            &agent::KEYS,
            &approvals::KEYS,
            &budget::KEYS,
            &limits::KEYS,
            &limits::TOP_KEYS,
            &local::KEYS,
            &machine::KEYS,
            &mcp::KEYS,
            &provider::KEYS,
            &provider::MODEL_KEYS,
            &provider::PRICE_KEYS,
            &provider::TIER_KEYS,
            &registry::KEYS,
            &trust::KEYS,
        ];
        for key in all.iter().flat_map(|keys| keys.known) {
            assert!(example.contains(&format!("{key}:")), "{key}");
        }
    }
}
