//! The tools: what the model may call, and how each is run.
//!
//! Tools on files and the verbs run where they stand, in the order of their calls; commands and
//! tools of the host run at the same time (see `run`). What a tool reports as an error is a result
//! like any other: the model reads it and tries something else.

mod args;
mod ask;
mod bash;
mod capture;
mod edit;
mod find;
mod grep;
mod host;
mod ignore;
mod list;
mod memory;
mod outcome;
mod place;
mod plan;
mod read;
mod run;
mod tasks;
mod walk;
mod write;

use crate::xpressclaw::harness::types::Kind;
use crate::xpressclaw::llm::types as llm;
use crate::xpressclaw::tools::tools as offered;

pub use args::Args;
pub use outcome::{Failure, Outcome};
pub use place::Place;
pub use run::run;

/// A tool of this harness.
pub struct Tool {
    pub name: &'static str,
    pub description: &'static str,
    /// A JSON Schema object.
    pub parameters: &'static str,
    pub kind: Kind,
    /// The argument that a call's title shows.
    pub shows: &'static str,
    pub way: Way,
}

/// What a tool that runs at once does.
pub type Body = fn(&Args, &mut Here) -> Result<Outcome, Failure>;

/// How a tool is run.
#[derive(Clone, Copy)]
pub enum Way {
    /// At once.
    Here(Body),
    /// At once, but after everything else of the answer: it waits for the user.
    Last(Body),
    /// In the agent's machine.
    Machine,
}

/// What a tool that runs at once is given besides its arguments.
pub struct Here<'a> {
    pub place: &'a Place,
    /// Whether the turn was cancelled meanwhile; long work asks now and then.
    pub interrupted: &'a mut dyn FnMut() -> bool,
}

/// In the order in which the model reads them.
static TOOLS: [&Tool; 16] = [
    &read::TOOL,
    &write::TOOL,
    &edit::TOOL,
    &list::TOOL,
    &grep::TOOL,
    &find::TOOL,
    &bash::TOOL,
    &plan::TOOL,
    &memory::ADD,
    &memory::SEARCH,
    &memory::LIST,
    &memory::DELETE,
    &tasks::CREATE,
    &tasks::UPDATE,
    &tasks::LIST,
    &ask::TOOL,
];

/// Before the name of a host's tool that one of ours has already.
const HOST_PREFIX: &str = "host_";
/// What a tool's name may have at most, by the contract.
const NAME_MAX: usize = 64;

/// All tools of a turn.
pub struct Toolbox {
    /// The host's: the name that the model knows, and the tool.
    host: Vec<(String, offered::Tool)>,
}

/// A tool by its name.
pub enum Found<'a> {
    Ours(&'static Tool),
    Host(&'a offered::Tool),
}

impl Toolbox {
    pub fn open() -> Self {
        Self::with(offered::list_tools())
    }

    fn with(host: Vec<offered::Tool>) -> Self {
        let mut named: Vec<(String, offered::Tool)> = Vec::new();
        for tool in host {
            let mut name = tool.name.clone();
            let taken = |name: &str| {
                TOOLS.iter().any(|own| own.name == name) || named.iter().any(|(n, _)| n == name)
            };
            while taken(&name) && name.len() + HOST_PREFIX.len() <= NAME_MAX {
                name.insert_str(0, HOST_PREFIX);
            }
            if !taken(&name) {
                named.push((name, tool));
            }
        }
        Self { host: named }
    }

    /// For the model.
    pub fn offered(&self) -> Vec<llm::Tool> {
        let tool = |name: &str, description: &str, parameters: &str| llm::Tool {
            name: name.to_owned(),
            description: description.to_owned(),
            parameters: parameters.to_owned(),
        };
        let ours = TOOLS.iter().map(|t| tool(t.name, t.description, t.parameters));
        let host = self.host.iter().map(|(name, t)| tool(name, &t.description, &t.parameters));
        ours.chain(host).collect()
    }

    pub fn find(&self, name: &str) -> Option<Found<'_>> {
        if let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) {
            return Some(Found::Ours(tool));
        }
        self.host.iter().find(|(known, _)| known == name).map(|(_, tool)| Found::Host(tool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_host(name: &str) -> offered::Tool {
        offered::Tool {
            name: name.to_owned(),
            description: String::new(),
            parameters: "{}".to_owned(),
        }
    }

    #[test]
    fn every_schema_is_an_object_whose_required_properties_are_there() {
        for tool in TOOLS {
            let schema: serde_json::Value = serde_json::from_str(tool.parameters)
                .unwrap_or_else(|error| panic!("{}: {error}", tool.name));
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            for required in schema["required"].as_array().into_iter().flatten() {
                let name = required.as_str().unwrap();
                assert!(schema["properties"][name].is_object(), "{}: {name}", tool.name);
            }
            let shown = &schema["properties"][tool.shows];
            assert!(tool.shows.is_empty() || shown.is_object(), "{}", tool.name);
        }
    }

    #[test]
    fn a_tool_of_the_host_never_hides_one_of_ours() {
        let toolbox =
            Toolbox::with(vec![of_host("read"), of_host("weather"), of_host("host_read")]);
        let names: Vec<_> = toolbox.offered().into_iter().map(|tool| tool.name).collect();
        assert_eq!(names[TOOLS.len()..], ["host_read", "weather", "host_host_read"]);
        assert!(matches!(toolbox.find("read"), Some(Found::Ours(_))));
        assert!(
            matches!(toolbox.find("host_read"), Some(Found::Host(tool)) if tool.name == "read")
        );
        assert!(toolbox.find("nothing").is_none());
    }
}
