//! Why a configuration could not be used.

use std::io;
use std::path::PathBuf;

use crate::load::FILE_MAX_BYTES;
use crate::problem::Problem;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no configuration at {}", path.display())]
    Missing { path: PathBuf },
    #[error("the configuration at {} could not be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is longer than {FILE_MAX_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("{}:{line}:{column}: {reason}", origin.display())]
    Syntax { origin: PathBuf, line: u64, column: u64, reason: String },
    /// All mistakes, in the order of the file; at least one.
    #[error("{}", lines(origin, problems))]
    Invalid { origin: PathBuf, problems: Vec<Problem> },
}

impl ConfigError {
    /// What helps, when the message does not hold it already.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => {
                Some("create it, or leave `--config` out to run without one".to_owned())
            }
            Self::TooLong { .. } => Some("`--config` must name a YAML file".to_owned()),
            Self::Syntax { .. } => {
                Some("indent with spaces, and put texts with signs of YAML into quotes".to_owned())
            }
            Self::Invalid { problems, .. } => problems.iter().find_map(Problem::hint),
            Self::Read { .. } => None,
        }
    }
}

fn lines(origin: &std::path::Path, problems: &[Problem]) -> String {
    let line = |p: &Problem| format!("{}:{}:{}: {p}", origin.display(), p.line, p.column);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}
