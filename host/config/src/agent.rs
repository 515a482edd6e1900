//! One of `agents`.

use std::path::PathBuf;

use approvals::Rules;
use domain::AgentName;

use crate::approvals::read as rules;
use crate::budget::Budget;
use crate::field::{Field, Keys};
use crate::limits::{self, Limits};
use crate::machine::Machine;
use crate::mcp::ToolRef;
use crate::problem::Fault;

/// A configured identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// `name`, required: letters, digits, `-`, `_` and `.`; another for each agent.
    pub name: AgentName,
    /// `harness`, required: a name (`pi`), a registry reference, or the path of a component, which
    /// starts with `./`, `../` or `/`.
    pub harness: String,
    /// `middleware`: like `harness`, in order; the first is nearest to the harness.
    pub middleware: Vec<String>,
    /// `model`: `None` is the system-wide one.
    pub model: Option<String>,
    /// `models`: further ones that it may ask for by name.
    pub models: Vec<String>,
    /// `role`: what the agent is for; added to its system text.
    pub role: Option<String>,
    /// `budget`: beside the system-wide one.
    pub budget: Budget,
    /// `limits`: how often it may ask for a model.
    pub limits: Limits,
    /// `machine`: `None` is one where its image is.
    pub machine: Option<Machine>,
    /// `network`: grants like `https://example.com`, as they are written. Without any, nothing is
    /// reachable.
    pub network: Vec<String>,
    /// `tools`: servers of `mcp_servers`, or single tools of them as `SERVER.TOOL`. Without any, the
    /// agent has none.
    pub tools: Vec<ToolRef>,
    /// `approvals`: beside the system-wide ones.
    pub approvals: Rules,
    /// `settings`: passed to the harness as JSON; what may stand there is the harness's affair.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// `workspace`: the directory that the agent works in; `None` is one of its own under the data
    /// directory.
    pub workspace: Option<PathBuf>,
}

/// What an agent takes over from the top of the file.
pub(crate) struct Top<'a> {
    pub system: &'a Budget,
    pub limits: Limits,
    pub servers: &'a [String],
    pub machine: Option<Machine>,
}

pub(crate) const KEYS: Keys = Keys {
    known: &[
        "name",
        "harness",
        "middleware",
        "model",
        "models",
        "role",
        "budget",
        "limits",
        "machine",
        "network",
        "tools",
        "approvals",
        "settings",
        "workspace",
    ],
    later: &["image", "mounts"],
};

impl Agent {
    fn read(field: &Field<'_>, top: &Top<'_>) -> Option<Self> {
        let Top { system, servers, .. } = top;
        let table = field.table(&KEYS)?;
        let name = table.need("name").and_then(|f| f.parsed(AgentName::new));
        let harness = table.need("harness").and_then(|f| f.harness());
        let budget = match table.get("budget") {
            Some(field) => system.settings().read(&field),
            None => system.settings(),
        };
        let settings = match table.get("settings").map(|f| (f.json(), f)) {
            Some((Some(serde_json::Value::Object(map)), _)) => map,
            Some((Some(_), field)) => {
                // Not a map: reading it as one says so.
                field.named();
                serde_json::Map::new()
            }
            _ => serde_json::Map::new(),
        };
        let middleware = table.get("middleware").and_then(|field| field.list());
        let agent = Self {
            middleware: middleware.unwrap_or_default().iter().filter_map(Field::harness).collect(),
            model: table.get("model").and_then(|f| f.model()),
            models: table
                .get("models")
                .and_then(|field| field.list())
                .unwrap_or_default()
                .iter()
                .filter_map(Field::model)
                .collect(),
            role: table.get("role").and_then(|f| f.text()).map(str::to_owned),
            budget,
            limits: match table.get("limits") {
                Some(field) => top.limits.read(&field, &limits::KEYS),
                None => top.limits,
            },
            machine: match table.get("machine") {
                Some(field) => Machine::read(&field),
                None => top.machine,
            },
            network: texts(table.get("network")),
            tools: table.get("tools").map(|f| ToolRef::read_all(&f, servers)).unwrap_or_default(),
            approvals: table.get("approvals").map(|f| rules(&f)).unwrap_or_default(),
            settings,
            workspace: table.get("workspace").and_then(|f| f.path()),
            name: name?,
            harness: harness?,
        };
        Some(agent)
    }

    /// Reads the list and refuses a name that stands there twice.
    pub(crate) fn read_all(field: &Field<'_>, top: &Top<'_>) -> Vec<Self> {
        let mut agents: Vec<Self> = Vec::new();
        for item in field.list().unwrap_or_default() {
            let Some(agent) = Self::read(&item, top) else { continue };
            if agents.iter().any(|other| other.name == agent.name) {
                item.report(Fault::Twice { name: agent.name.to_string() });
            }
            agents.push(agent);
        }
        agents
    }
}

fn texts(field: Option<Field<'_>>) -> Vec<String> {
    let items = field.and_then(|field| field.list()).unwrap_or_default();
    items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}
