//! From a file or a text to a [`Config`].

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_saphyr::{DefaultMessageFormatter, MessageFormatter as _, NonFiniteFloatPolicy};

use crate::document::Config;
use crate::error::ConfigError;
use crate::field::{Field, File};
use crate::node::{Node, Place, Value};
use crate::problem::{Fault, Problem};

/// The file that is looked for when none is named.
pub const FILE_NAME: &str = "xpressclaw.yaml";
/// A configuration of a thousand agents is below 500 KiB; more is another file given by mistake.
pub const FILE_MAX_BYTES: u64 = 1 << 20;

/// Maps and lists inside each other: the layout itself has seven levels, settings of a harness a
/// few more, and reading them takes stack.
const DEPTH_MAX: usize = 64;

impl Config {
    /// Reads a file that the user named: it must be there. Blocks.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match read(path) {
            Ok(text) => {
                // Absolute, so that the paths in it outlive a change of the working directory.
                let at = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                Self::parse_in(&text, path, folder(&at))
            }
            Err(ConfigError::Read { path, source }) if source.kind() == io::ErrorKind::NotFound => {
                Err(ConfigError::Missing { path })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the file at its usual place; when there is none, the configuration is empty. Blocks.
    pub fn load_default(path: &Path) -> Result<Self, ConfigError> {
        match Self::load(path) {
            Err(ConfigError::Missing { .. }) => Ok(Self::default()),
            other => other,
        }
    }

    /// Reads a text as if it stood in the file `origin`, which messages name and relative paths
    /// start beside.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, ConfigError> {
        Self::parse_in(text, origin, folder(origin))
    }

    fn parse_in(text: &str, origin: &Path, folder: PathBuf) -> Result<Self, ConfigError> {
        let node = tree(text, origin)?;
        let file = File { folder, problems: RefCell::default() };
        let mut config = match node.value {
            Value::Null => Self::default(),
            _ => Self::read(&Field::root(&file, &node)),
        };
        let mut problems = file.problems.into_inner();
        if problems.is_empty() {
            config.file = Some(origin.to_owned());
            return Ok(config);
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(ConfigError::Invalid { origin: origin.to_owned(), problems })
    }
}

fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let fail = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(fail)?;
    file.take(FILE_MAX_BYTES + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > FILE_MAX_BYTES {
        return Err(ConfigError::TooLong { path: path.to_owned() });
    }
    Ok(text)
}

fn tree(text: &str, origin: &Path) -> Result<Node, ConfigError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
        with_snippet: false,
        // `no` is a word, and `007` is a name.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // Whoever wants a number says which ones it takes.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| refusal(&error, origin))
}

fn refusal(error: &serde_saphyr::Error, origin: &Path) -> ConfigError {
    use serde_saphyr::Error;
    let error = error.without_snippet();
    let origin = origin.to_owned();
    let Place { line, column } = error.location().map_or(Place { line: 1, column: 1 }, Place::from);
    let reason = match error {
        Error::DuplicateMappingKey { key: Some(name), .. } => {
            format!("the key `{name}` is written twice in one map")
        }
        Error::MultipleDocuments { .. } => "more than one document; remove the `---`".to_owned(),
        error => {
            let reason = DefaultMessageFormatter.format_message(error).into_owned();
            return ConfigError::Syntax { origin, line, column, reason };
        }
    };
    let fault = Fault::Value { reason };
    let problem = Problem { line, column, key: String::new(), fault };
    ConfigError::Invalid { origin, problems: vec![problem] }
}
