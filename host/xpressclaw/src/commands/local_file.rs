//! Which file the model `local` is, and what its header says. Nothing is loaded.

use std::path::{Path, PathBuf};

use anyhow::Result;
use config::Config;
use domain::provider::ModelInfo;

use super::Context;
use crate::exit::Failure;
use crate::models;
use crate::paths::Paths;

/// The configured file, or the only one that is found; `None` without any.
///
/// # Errors
/// When there are several.
pub fn chosen(context: &Context) -> Result<Option<PathBuf>, Failure> {
    chosen_by(&context.config, &context.paths)
}

pub fn chosen_by(config: &Config, paths: &Paths) -> Result<Option<PathBuf>, Failure> {
    if let Some(configured) = &config.local.model {
        return Ok(Some(configured.clone()));
    }
    let mut found = models::list_local(paths);
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            let names: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::usage(format!("there are several: {}", names.join(", ")))
                .hint("name one with `local: {model: FILE.gguf}` in xpressclaw.yaml"))
        }
    }
}

/// Reads the header of a model file.
#[cfg(feature = "local-model")]
pub fn info(path: &Path, config: &Config) -> Result<ModelInfo> {
    let mut options = local_model::Options::default();
    options.context = config.local.context_window.unwrap_or(options.context);
    Ok(local_model::LocalModel::open(path, options)?.info())
}

#[cfg(not(feature = "local-model"))]
pub fn info(_path: &Path, _config: &Config) -> Result<ModelInfo> {
    Err(anyhow::anyhow!("this build has no local model"))
}
