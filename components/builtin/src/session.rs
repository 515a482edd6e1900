//! What lives as long as the instance: the configuration, the conversation, the user's input.

use std::path::PathBuf;

use crate::exports::xpressclaw::harness::agent::{Config, Error};
use crate::history::History;
use crate::input::Inbox;
use crate::settings::Settings;
use crate::tools::Place;
use crate::xpressclaw::llm::models::{Model, list_models};

/// Where the conversation is kept.
const HISTORY: &str = "/state/history.jsonl";
/// Where what is too long for the model is kept for it to read in pieces.
const OUTPUTS: &str = "/state/output";

/// See the module.
pub struct Session {
    pub config: Config,
    pub settings: Settings,
    pub history: History,
    pub inbox: Inbox,
}

impl Session {
    /// Opens what stays open (the directories, at the first look at a file; the wait for input),
    /// and reads what there was. Talks to nobody.
    pub fn open(config: Config) -> Result<Self, Error> {
        let settings = Settings::read(&config.settings).map_err(Error::Invalid)?;
        let history = History::open(PathBuf::from(HISTORY), &config.history);
        let history = history.map_err(|error| Error::Other(error.to_string()))?;
        Ok(Self { config, settings, history, inbox: Inbox::open() })
    }

    /// The agent's model as the host describes it now; `None` when it lists none.
    pub fn model(&self) -> Option<Model> {
        let mut models = list_models();
        let own = models.iter().position(|model| model.name == self.config.model).unwrap_or(0);
        (own < models.len()).then(|| models.swap_remove(own))
    }

    /// Where the tools of a turn work, for a model that sees `window` tokens.
    pub fn place(&self, window: u64, images: bool) -> Place {
        Place::new(PathBuf::from(&self.config.workspace), PathBuf::from(OUTPUTS), window, images)
    }
}
