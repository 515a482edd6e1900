//! `registry`: what short names are short for, and which registries are asked without TLS.

use domain::namespace::Pattern;

use crate::field::{Field, Keys};
use crate::problem::Fault;

/// Registries that are asked over plain HTTP; more than a handful is a mistake.
const INSECURE_MAX: usize = 64;

/// Where harnesses come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// `namespace`: a registry and a path, like `ghcr.io/acme/harnesses`.
    pub namespace: Option<String>,
    /// `insecure`: registries, with their ports. Those on loopback need not be named.
    pub insecure: Vec<String>,
}

pub(crate) const KEYS: Keys = Keys { known: &["namespace", "insecure"], later: &[] };

impl Registry {
    pub(crate) fn read(field: &Field<'_>) -> Self {
        let Some(table) = field.table(&KEYS) else { return Self::default() };
        let insecure = table.get("insecure").and_then(|field| {
            let items = field.list_or_one()?;
            if items.len() > INSECURE_MAX {
                let reason = format!("must have at most {INSECURE_MAX} registries");
                field.report(Fault::Value { reason });
            }
            Some(items.iter().filter_map(|item| item.parsed(registry)).collect())
        });
        Self {
            namespace: table.get("namespace").and_then(|field| field.parsed(namespace)),
            insecure: insecure.unwrap_or_default(),
        }
    }
}

fn namespace(text: &str) -> Result<String, String> {
    let pattern = Pattern::parse(text).map_err(|error| error.to_string())?;
    if pattern.as_str().contains('*') {
        return Err("`*` stands for many namespaces; name one, like `ghcr.io/acme`".to_owned());
    }
    Ok(text.to_owned())
}

fn registry(text: &str) -> Result<String, String> {
    if text.contains(['/', '*']) || Pattern::parse(text).is_err() {
        return Err(format!(
            "`{}` is no registry; write its name and port like `registry.lan:5000`, without `http://`",
            text.escape_debug()
        ));
    }
    Ok(text.to_owned())
}
