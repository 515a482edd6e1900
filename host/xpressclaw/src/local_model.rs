//! Which file the model `local` is, and what its header says. Nothing is loaded.
//!
//! In this order: what was typed, the environment, the configuration, what `model default`
//! recorded, the only file there is. One search for every command that asks.

use std::path::{Path, PathBuf};

use ::models::{ModelName, Shelf};
use anyhow::Result;
use config::Config;
use domain::provider::ModelInfo;

use crate::environment;
use crate::exit::Failure;
use crate::paths::Paths;

const GGUF: &str = "gguf";

/// Where `model pull` puts files.
pub fn shelf(paths: &Paths) -> Shelf {
    Shelf::new(paths.models())
}

/// Folders that hold local models, the first first.
pub fn folders(paths: &Paths) -> Vec<PathBuf> {
    let mut folders = environment::MODEL_PATH.folders();
    folders.push(paths.models());
    folders
}

/// All local models found.
pub fn list(paths: &Paths) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders(paths) {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let mut here: Vec<_> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_model(path)).collect();
        here.sort();
        found.extend(here);
    }
    found
}

/// The file that a model's name stands for: a path, or the name of a file in the model folders.
/// `None`: it is no local model's name.
pub fn named(wanted: &str, paths: &Paths) -> Option<PathBuf> {
    let path = Path::new(wanted);
    if is_model(path) {
        // A bare file name is looked for in the working directory first, as it always was.
        let in_folders = || in_folders(wanted, paths).filter(|_| !path.exists());
        return Some(in_folders().unwrap_or_else(|| path.to_owned()));
    }
    in_folders(wanted, paths)
}

/// The file that `local` means; `None` without any.
///
/// # Errors
/// When there are several and none is chosen, or the one that was recorded is gone.
pub fn chosen(config: &Config, paths: &Paths) -> Result<Option<PathBuf>, Failure> {
    if let Some(wanted) = environment::LOCAL_MODEL.text() {
        let missing = || {
            Failure::usage(format!("{} names no model", environment::LOCAL_MODEL.name))
                .hint("`xpressclaw model list` shows those that are there")
        };
        return named(&wanted, paths).map(Some).ok_or_else(missing);
    }
    if let Some(configured) = &config.local.model {
        return Ok(Some(configured.clone()));
    }
    let recorded = shelf(paths).default().map_err(|error| {
        Failure::usage("the recorded default model cannot be read").because(error)
    })?;
    if let Some(recorded) = recorded {
        if recorded.exists() {
            return Ok(Some(recorded));
        }
        return Err(Failure::usage(format!("the default model {} is gone", recorded.display()))
            .hint("record another one with `xpressclaw model default NAME`"));
    }
    let mut found = list(paths);
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            let names: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::usage(format!("there are several local models: {}", names.join(", ")))
                .hint(
                    "record one with `xpressclaw model default NAME`, or name one with `--model`",
                ))
        }
    }
}

/// What to do where there is none.
pub fn none(paths: &Paths) -> Failure {
    let folders: Vec<_> = folders(paths).iter().map(|f| f.display().to_string()).collect();
    Failure::usage("there is no local model").hint(format!(
        "get one with `xpressclaw model pull NAME` (`model list` shows some), put a .gguf file into \
         {}, or name another model with `--model`",
        folders.join(" or ")
    ))
}

/// How the configuration wants it run.
#[cfg(feature = "local-model")]
pub fn options(config: &Config) -> ::local_model::Options {
    let local = &config.local;
    let default = ::local_model::Options::default();
    ::local_model::Options {
        name: crate::models::LOCAL.into(),
        threads: local.threads.unwrap_or(default.threads),
        context: local.context_window.unwrap_or(default.context),
        gpu_layers: local.gpu_layers.unwrap_or(default.gpu_layers),
        parallel: local.parallel.unwrap_or(default.parallel),
        ..default
    }
}

/// Reads the header of a model file.
#[cfg(feature = "local-model")]
pub fn info(path: &Path, config: &Config) -> Result<ModelInfo> {
    Ok(::local_model::LocalModel::open(path, options(config))?.info())
}

#[cfg(not(feature = "local-model"))]
pub fn info(_path: &Path, _config: &Config) -> Result<ModelInfo> {
    Err(anyhow::anyhow!("this build has no local model"))
}

fn in_folders(wanted: &str, paths: &Paths) -> Option<PathBuf> {
    let file = ModelName::new(wanted).ok()?.file();
    folders(paths).into_iter().map(|folder| folder.join(&file)).find(|path| path.is_file())
}

fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == GGUF)
}
