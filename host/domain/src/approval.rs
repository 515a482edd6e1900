//! What is allowed, asked for or denied where a call crosses the sandbox: the words of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a call does, by the interface through which it crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ActionKind {
    /// A verb: `memory.add`, `task.update`, …
    #[serde(rename = "verb")]
    Verb,
    /// A tool of the host.
    #[serde(rename = "tool")]
    Tool,
    /// A command in the machine.
    #[serde(rename = "command")]
    Command,
    /// The content of a file or the list of a directory.
    #[serde(rename = "path(read)")]
    Read,
    /// Any change of a file, a directory or a link.
    #[serde(rename = "path(write)")]
    Write,
    /// A destination in the network.
    #[serde(rename = "host")]
    Host,
    /// What a harness asks approval for by itself, because the host cannot see it.
    #[serde(rename = "permit")]
    Permit,
}

impl ActionKind {
    pub const ALL: [Self; 7] =
        [Self::Verb, Self::Tool, Self::Command, Self::Read, Self::Write, Self::Host, Self::Permit];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verb => "verb",
            Self::Tool => "tool",
            Self::Command => "command",
            Self::Read => "path(read)",
            Self::Write => "path(write)",
            Self::Host => "host",
            Self::Permit => "permit",
        }
    }

    /// The reverse of `as_str`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a call was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allowed,
    Denied,
}

impl Verdict {
    pub const ALL: [Self; 2] = [Self::Allowed, Self::Denied];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }

    /// The reverse of `as_str`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for kind in ActionKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(ActionKind::from_name(kind.as_str()), Some(kind));
        }
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
            assert_eq!(Verdict::from_name(verdict.as_str()), Some(verdict));
        }
    }
}
