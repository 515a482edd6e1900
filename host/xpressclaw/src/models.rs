//! From configuration and flags to the router of the pipeline.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use config::{Config, Header, Provider as ProviderConfig, SecretRef};
use domain::provider::Provider;
use llm::Router;
use providers::Secret;
use providers::endpoint::ModelFacts;
use providers::openai::{OpenAi, OpenAiConfig, USUAL_EFFORTS};
use providers::script::Script;
use providers::secret::read_key_file;

use crate::environment;
use crate::exit::{Exit, Failure};
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
        match openai(name, provider) {
            Ok(provider) => router.add(name.clone(), Arc::new(provider)),
            Err(error) if wanted.split('/').next() == Some(name) => return Err(error),
            // A key that is missing today must not stop a run that does not need it.
            Err(error) => tracing::warn!(%error, provider = name, "a provider cannot be used"),
        }
    }
    let mut named = None;
    let model = if let Some(file) = wanted.strip_prefix(SCRIPT_PREFIX) {
        let script = Script::open(Path::new(file))
            .map_err(|e| Failure::usage("the script cannot be used").because(e))?;
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

fn openai(name: &str, provider: &ProviderConfig) -> Result<OpenAi> {
    let mut settings = OpenAiConfig::new(name, &provider.base_url);
    settings.key_setting = format!("providers.{name}.api_key in xpressclaw.yaml");
    settings.key =
        provider.api_key.as_ref().map(|reference| secret(name, reference)).transpose()?;
    for (header, value) in &provider.headers {
        let value = match value {
            Header::Text(text) => Secret::new(text)
                .map_err(|e| Failure::usage(format!("header `{header}` of `{name}`")).because(e))?,
            Header::Secret(reference) => secret(name, reference)?,
        };
        settings.headers.push((header.clone(), value));
    }
    settings.proxy = environment::proxy()
        .map(Secret::new)
        .transpose()
        .map_err(|e| Failure::usage("the proxy variable cannot be used").because(e))?;
    settings.models = provider
        .models
        .iter()
        .map(|(id, model)| {
            let assumed = ModelFacts::assumed(id);
            ModelFacts {
                context_window: model.context_window.unwrap_or(assumed.context_window),
                max_output_tokens: model.max_output_tokens.unwrap_or(assumed.max_output_tokens),
                images: model.images.unwrap_or(assumed.images),
                efforts: match model.reasoning {
                    Some(true) => USUAL_EFFORTS.to_vec(),
                    Some(false) => Vec::new(),
                    None => assumed.efforts.clone(),
                },
                price: model.price,
                ..assumed
            }
        })
        .collect();
    let provider = OpenAi::new(settings)
        .map_err(|e| Failure::usage(format!("provider `{name}` cannot be used")).because(e))?;
    Ok(provider)
}

fn secret(provider: &str, reference: &SecretRef) -> Result<Secret> {
    let failed = |what: String| Failure::usage(format!("the key of provider `{provider}`: {what}"));
    match reference {
        SecretRef::Env(name) => {
            let value = std::env::var(name).map_err(|_| {
                failed(format!("the environment has no `{name}`")).hint(format!("export {name}=…"))
            })?;
            Ok(Secret::new(value)
                .map_err(|e| failed(format!("`{name}` is unusable")).because(e))?)
        }
        SecretRef::File(path) => {
            Ok(read_key_file(path).map_err(|e| failed("its file is unusable".into()).because(e))?)
        }
    }
}
