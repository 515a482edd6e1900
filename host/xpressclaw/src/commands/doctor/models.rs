//! Models: the local file, and the keys of providers. No provider is asked anything.

use config::{Config, Header, SecretRef};
use providers::secret::read_key_file;

use super::Check;
use crate::commands::output::size;
use crate::environment;
use crate::local_model::{self, folders};
use crate::paths::Paths;

pub fn local(config: &Config, paths: &Paths) -> Check {
    const WHAT: &str = "local model";
    let path = match local_model::chosen(config, paths) {
        Ok(Some(path)) => path,
        Ok(None) => {
            let folders: Vec<_> =
                folders(paths).iter().map(|folder| folder.display().to_string()).collect();
            return Check::warn(WHAT, "none: nothing answers when a budget is spent").hint(
                format!(
                    "get one with `xpressclaw model pull`, put a .gguf file into {}, or set {}",
                    folders.join(" or "),
                    environment::MODEL_PATH.name
                ),
            );
        }
        Err(several) => {
            let hint = several.hint.clone().unwrap_or_default();
            return Check::warn(WHAT, several.to_string()).hint(hint);
        }
    };
    match local_model::info(&path, config) {
        Ok(info) => {
            let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
            let window = info.context_window;
            let found = format!("{}, {}, window of {window} tokens", path.display(), size(bytes));
            Check::ok(WHAT, found)
        }
        Err(error) => Check::fail(WHAT, format!("{error:#}"))
            .hint("put another file in its place, or remove it"),
    }
}

/// Whether the references of all providers lead to something. Nothing of a key is shown.
pub fn keys(config: &Config) -> Vec<Check> {
    const WHAT: &str = "provider keys";
    let mut checks = Vec::new();
    for (name, provider) in &config.providers {
        let secrets = provider.headers.values().filter_map(|header| match header {
            Header::Secret(reference) => Some(reference),
            Header::Text(_) => None,
        });
        let missing = provider.api_key.iter().chain(secrets).find_map(missing);
        checks.push(match missing {
            None => Check::ok(WHAT, format!("`{name}`: all there")),
            Some((what, hint)) => Check::warn(WHAT, format!("`{name}`: {what}")).hint(hint),
        });
    }
    checks
}

fn missing(reference: &SecretRef) -> Option<(String, String)> {
    match reference {
        SecretRef::Env(name) => std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .is_none()
            .then(|| (format!("the environment has no `{name}`"), format!("export {name}=…"))),
        SecretRef::File(path) => read_key_file(path).err().map(|error| {
            let error = anyhow::Error::new(error);
            (format!("{error:#}"), "put the key there, readable by you alone".to_owned())
        }),
    }
}
