//! Where things are on this machine.

use std::path::PathBuf;

use anyhow::{Context, Result};
use domain::{AgentName, SessionId};

use crate::environment;

/// The folders of one data directory.
#[derive(Debug, Clone)]
pub struct Paths {
    pub data: PathBuf,
    pub cache: PathBuf,
}

impl Paths {
    /// Flag > environment > the platform's usual place.
    pub fn resolve(data: Option<PathBuf>) -> Result<Self> {
        let data = match data.or_else(|| environment::DATA_DIR.path()) {
            Some(path) => path,
            None => user_folder("XDG_DATA_HOME", ".local/share")?,
        };
        let cache = match environment::CACHE_DIR.path() {
            Some(path) => path,
            None => user_folder("XDG_CACHE_HOME", ".cache")?,
        };
        let absolute = |path: PathBuf| {
            std::path::absolute(&path).with_context(|| format!("cannot use {}", path.display()))
        };
        Ok(Self { data: absolute(data)?, cache: absolute(cache)? })
    }

    pub fn compiled(&self) -> PathBuf {
        self.cache.join("compiled")
    }

    /// What was pulled from registries.
    pub fn artifacts(&self) -> PathBuf {
        self.cache.join("artifacts")
    }

    pub fn harnesses(&self) -> PathBuf {
        self.data.join("harnesses")
    }

    /// The sockets of the processes that run agents.
    pub fn control(&self) -> PathBuf {
        self.data.join("control")
    }

    pub fn models(&self) -> PathBuf {
        self.data.join("models")
    }

    /// The image of the machine that commands run in.
    pub fn machine(&self) -> PathBuf {
        environment::MACHINE_PATH.path().unwrap_or_else(|| self.data.join("machine"))
    }

    fn agent(&self, agent: &AgentName) -> PathBuf {
        self.data.join("agents").join(agent.as_str())
    }

    /// The workspace of an agent that was given no other.
    pub fn workspace(&self, agent: &AgentName) -> PathBuf {
        self.agent(agent).join("workspace")
    }

    /// A session's private state.
    pub fn state(&self, agent: &AgentName, session: &SessionId) -> PathBuf {
        self.agent(agent).join("sessions").join(session.as_str()).join("state")
    }
}

fn user_folder(variable: &str, below_home: &str) -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set(variable)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(below_home)));
    let base = base.context("no home folder is known; name one with `--data-dir`")?;
    Ok(base.join("xpressclaw"))
}
