//! What a server is started or reached with. All secrets are resolved; none can be printed.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A value that may be a key. Its `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}

/// One server, and which of its tools the agent has.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The name in the configuration: letters, digits, `-` and `_`.
    pub name: String,
    pub transport: Transport,
    pub selection: Selection,
    /// From the start to the list of tools.
    pub start_timeout: Duration,
    /// One call; progress that the server reports begins it anew.
    pub timeout: Duration,
}

/// Which tools of a server an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All,
    Only(Vec<String>),
}

impl Selection {
    pub(crate) fn takes(&self, tool: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == tool),
        }
    }
}

#[derive(Debug, Clone)]
pub enum Transport {
    /// A child process that speaks over its stdin and stdout. It gets `env` and nothing else.
    Stdio { command: OsString, args: Vec<OsString>, env: Vec<(OsString, Value)>, cwd: PathBuf },
    /// Streamable HTTP.
    Http {
        /// `https`, or `http` to this machine.
        url: String,
        headers: Vec<(String, Value)>,
        /// `http://host:port` of a proxy, perhaps with a password; never used to this machine.
        proxy: Option<Value>,
    },
}
