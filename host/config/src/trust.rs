//! `trust`: whose signatures are asked for, by namespace of the registries.

use std::path::PathBuf;

use domain::namespace::{OFFICIAL, Pattern, Proof};

use crate::field::{Field, Keys};
use crate::problem::Fault;

/// Keys of one namespace: each is tried on each signature.
const KEYS_MAX: usize = 64;

/// Where a public key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A PEM file.
    File(PathBuf),
    /// The PEM text itself; it is no secret.
    Pem(String),
}

/// What holds for what comes from a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The key of the entry: `ghcr.io/acme`.
    pub namespace: Pattern,
    /// `signatures`: `require` when it is not written.
    pub signatures: Proof,
    /// `keys`: at least one when signatures are required.
    pub keys: Vec<KeySource>,
}

pub(crate) const KEYS: Keys = Keys { known: &["signatures", "keys"], later: &[] };

impl Trust {
    /// Reads the map from namespaces.
    pub(crate) fn read_all(field: &Field<'_>) -> Vec<Self> {
        let Some(entries) = field.named() else { return Vec::new() };
        entries.filter_map(|(name, field)| Self::read(name, &field)).collect()
    }

    fn read(name: &str, field: &Field<'_>) -> Option<Self> {
        let namespace = match Pattern::parse(name) {
            Ok(namespace) => Some(namespace),
            Err(error) => {
                field.report(Fault::Value { reason: error.to_string() });
                None
            }
        };
        let table = field.table(&KEYS)?;
        let written = table.get("signatures");
        let signatures = match &written {
            Some(field) => proof(field)?,
            None => Proof::Require,
        };
        let keys = table.get("keys");
        if let Some(field) = written
            && signatures != Proof::Require
            && namespace.as_ref().is_some_and(|namespace| namespace.is_within(OFFICIAL))
        {
            let reason = "official harnesses are used with a valid signature or not at all; \
                          write `require`, or leave it out";
            field.report(Fault::Value { reason: reason.to_owned() });
        }
        if signatures == Proof::Require && keys.is_none() {
            field.report(Fault::Missing { child: "keys" });
        }
        Some(Self {
            namespace: namespace?,
            signatures,
            keys: keys.map(|field| sources(&field)).unwrap_or_default(),
        })
    }
}

fn proof(field: &Field<'_>) -> Option<Proof> {
    field.parsed(|name| {
        Proof::from_name(name).ok_or_else(|| {
            format!("must be one of {}", Proof::NAMES.map(|n| format!("`{n}`")).join(", "))
        })
    })
}

fn sources(field: &Field<'_>) -> Vec<KeySource> {
    let items = field.list_or_one().unwrap_or_default();
    if items.is_empty() || items.len() > KEYS_MAX {
        field.report(Fault::Value { reason: format!("must have 1 to {KEYS_MAX} keys") });
    }
    items.iter().take(KEYS_MAX).filter_map(source).collect()
}

fn source(field: &Field<'_>) -> Option<KeySource> {
    let text = field.text()?;
    if text.contains("PRIVATE KEY-----") {
        field.report(Fault::Value {
            reason: "a private key stands here; write the public one, and make a new pair: this one has been seen"
                .to_owned(),
        });
        return None;
    }
    if text.trim_start().starts_with("-----BEGIN") {
        return Some(KeySource::Pem(text.to_owned()));
    }
    field.path().map(KeySource::File)
}
