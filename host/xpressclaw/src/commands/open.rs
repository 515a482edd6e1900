//! What every command starts from: settings resolved once, the store opened once.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use config::Config;
use domain::AgentName;
use store::Store;

use crate::cli::Global;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::paths::Paths;

/// The resolved settings of a command.
pub struct Context {
    pub paths: Paths,
    pub config: Config,
}

impl Context {
    /// Flag > environment > file in the working directory > defaults.
    pub fn resolve(global: &Global) -> Result<Self> {
        let paths = Paths::resolve(global.data_dir.clone())?;
        let named = global.config.clone().or_else(|| environment::CONFIG.path());
        let loaded = match named {
            Some(file) => Config::load(&file),
            None => Config::load_default(Path::new(config::FILE_NAME)),
        };
        let config = loaded.map_err(|error| {
            let mut failure = Failure::usage("the configuration cannot be used");
            failure.hint = error.hint();
            failure.because(error)
        })?;
        Ok(Self { paths, config })
    }

    pub fn store(&self) -> Result<Store> {
        let opened = Store::open(&self.paths.data, now_ms());
        opened.map_err(|error| {
            let data: &PathBuf = &self.paths.data;
            Failure::new(Exit::Failed, format!("cannot open the data directory {}", data.display()))
                .hint("name another one with `--data-dir`")
                .because(error)
                .into()
        })
    }
}

/// An agent's name as typed.
pub fn agent_name(typed: &str) -> Result<AgentName> {
    AgentName::new(typed).map_err(|e| Failure::usage("not an agent's name").because(e).into())
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
