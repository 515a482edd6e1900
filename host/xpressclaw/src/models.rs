//! From configuration and flags to the router of the pipeline.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use config::Config;
use domain::provider::Provider;
use llm::Router;
use providers::script::Script;

use crate::exit::{Exit, Failure};
use crate::hosted;
use crate::local_model;
use crate::paths::Paths;

/// The name of the local model, whatever file it is.
pub const LOCAL: &str = "local";
const SCRIPT_PREFIX: &str = "script:";

/// The models of a process.
pub struct Models {
    pub router: Router,
    /// The name that the agent's requests go to.
    pub model: String,
}

/// Whether a request may go to another model than the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downgrade {
    /// A budget is set, so the local model may have to answer.
    Possible,
    Never,
}

/// Sets up what `wanted` (and whatever a downgrade may go to) needs; nothing else is opened.
pub fn models(
    wanted: &str,
    downgrade: Downgrade,
    config: &Config,
    paths: &Paths,
) -> Result<Models> {
    let mut router = Router::default();
    for (name, provider) in &config.providers {
        match hosted::provider(name, provider) {
            Ok(provider) => router.add(name.clone(), provider),
            Err(error) if wanted.split('/').next() == Some(name) => return Err(error),
            // A key that is missing today must not stop a run that does not need it.
            Err(error) => tracing::warn!(%error, provider = name, "a provider cannot be used"),
        }
    }
    let mut named = None;
    let model = if let Some(file) = wanted.strip_prefix(SCRIPT_PREFIX) {
        let script = script(file)?;
        let name = script.model_name().to_owned();
        router.add(name.clone(), Arc::new(script));
        name
    } else if wanted == LOCAL {
        LOCAL.to_owned()
    } else {
        named = local_model::named(wanted, paths);
        if named.is_some() { LOCAL.to_owned() } else { wanted.to_owned() }
    };
    if model != LOCAL && downgrade == Downgrade::Never {
        return Ok(Models { router, model });
    }
    let found = match named {
        Some(path) => Ok(Some(path)),
        None => local_model::chosen(config, paths),
    };
    match found {
        Ok(Some(path)) => match local(&path, config) {
            Ok(provider) => router.add(LOCAL, provider),
            Err(error) if model == LOCAL => return Err(error),
            Err(error) => tracing::warn!(%error, "the local model cannot be used"),
        },
        Ok(None) if model == LOCAL => return Err(local_model::none(paths).into()),
        Ok(None) => {}
        Err(error) if model == LOCAL => return Err(error.into()),
        Err(error) => tracing::warn!(%error, "the local model cannot be used"),
    }
    Ok(Models { router, model })
}

/// The models of all agents of a process.
pub struct Served {
    pub router: Router,
    /// In the order of the configuration's agents.
    pub names: Vec<Names>,
}

/// What an agent may ask for, by the names that requests are routed by.
pub struct Names {
    pub model: String,
    pub further: Vec<String>,
}

/// Sets up what all agents need. A provider that cannot be used is an error of the requests to it:
/// the others serve.
pub fn served(config: &Config, paths: &Paths) -> Result<Served> {
    let mut router = Router::default();
    for (name, provider) in &config.providers {
        match hosted::provider(name, provider) {
            Ok(provider) => router.add(name.clone(), provider),
            Err(error) => tracing::error!(%error, provider = name, "a provider cannot be used"),
        }
    }
    let mut scripts = BTreeMap::new();
    let mut names = Vec::new();
    for agent in &config.agents {
        let own = agent.model.as_deref().or(config.model.as_deref()).unwrap_or(LOCAL);
        let mut routed = std::iter::once(own)
            .chain(agent.models.iter().map(String::as_str))
            .map(|name| named(name, &mut scripts, &mut router))
            .collect::<Result<Vec<_>>>()?
            .into_iter();
        names.push(Names { model: routed.next().unwrap_or_default(), further: routed.collect() });
    }
    match local_model::chosen(config, paths) {
        Ok(Some(path)) => match local(&path, config) {
            Ok(provider) => router.add(LOCAL, provider),
            Err(error) => tracing::error!(%error, "the local model cannot be used"),
        },
        Ok(None) => tracing::warn!("there is no local model, so no budget can degrade to one"),
        Err(error) => tracing::error!(%error, "the local model cannot be used"),
    }
    Ok(Served { router, names })
}

/// The name that requests for a model are routed by; a script is opened once, whoever names it.
fn named(
    name: &str,
    scripts: &mut BTreeMap<String, String>,
    router: &mut Router,
) -> Result<String> {
    let Some(file) = name.strip_prefix(SCRIPT_PREFIX) else { return Ok(name.to_owned()) };
    if let Some(known) = scripts.get(file) {
        return Ok(known.clone());
    }
    let script = script(file)?;
    let routed = script.model_name().to_owned();
    router.add(routed.clone(), Arc::new(script));
    scripts.insert(file.to_owned(), routed.clone());
    Ok(routed)
}

fn script(file: &str) -> Result<Script> {
    Ok(Script::open(Path::new(file))
        .map_err(|e| Failure::usage("the script cannot be used").because(e))?)
}

#[cfg(feature = "local-model")]
fn local(path: &Path, config: &Config) -> Result<Arc<dyn Provider>> {
    let options = local_model::options(config);
    let model = ::local_model::LocalModel::open(path, options)
        .map_err(|e| Failure::new(Exit::Model, "the local model cannot be used").because(e))?;
    Ok(Arc::new(model))
}

#[cfg(not(feature = "local-model"))]
fn local(_path: &Path, _config: &Config) -> Result<Arc<dyn Provider>> {
    Err(Failure::usage("this build has no local model; name another one with `--model`").into())
}
