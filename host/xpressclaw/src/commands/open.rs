//! What every command starts from: settings resolved once, the store opened once.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use config::Config;
use store::Store;

use super::output;
use crate::cli::Global;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::paths::Paths;

/// The store's file; that it has this name is under test. Its presence is what tells a data
/// directory from any other folder.
const STORE_FILE: &str = "store.db";

/// The resolved settings of a command.
pub struct Context {
    pub paths: Paths,
    pub config: Config,
    /// No registry is asked.
    pub offline: bool,
}

impl Context {
    /// Flag > environment > file in the working directory > defaults.
    pub fn resolve(global: &Global) -> Result<Self> {
        let paths = Paths::resolve(global.data_dir.clone())?;
        let config = load_config(global)?;
        Ok(Self { paths, config, offline: global.offline })
    }

    /// Opens the store, and makes it where there is none.
    pub fn store(&self) -> Result<Store> {
        open_store(&self.paths.data)
    }

    /// Opens the store where there is one.
    pub fn stored_quietly(&self) -> Result<Option<Store>> {
        has_store(&self.paths.data).then(|| self.store()).transpose()
    }

    /// Opens the store where there is one; a listing must not make one. Otherwise says so.
    pub fn stored(&self) -> Result<Option<Store>> {
        let store = self.stored_quietly()?;
        if store.is_none() {
            output::note(&format!("nothing is stored in {} yet", self.paths.data.display()));
        }
        Ok(store)
    }
}

/// The configuration file that holds, read.
pub fn load_config(global: &Global) -> Result<Config> {
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
    Ok(config)
}

pub fn has_store(data: &Path) -> bool {
    data.join(STORE_FILE).exists()
}

pub fn open_store(data: &Path) -> Result<Store> {
    Store::open(data, now_ms()).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot open the data directory {}", data.display()))
            .hint("name another one with `--data-dir`")
            .because(error)
            .into()
    })
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
