//! Open models that are known to work here, with what a person must know to choose one.
//!
//! The data is `catalogue.json`, dated and compiled in: what is in it was true on that day, and the
//! digests see to it that it stays true. It is read once; that it can be read is under test.

use std::sync::OnceLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::digest::Digest;

const DATA: &str = include_str!("../catalogue.json");
/// Memory beside weights and context: buffers of the computation and the program itself.
const BESIDE_BYTES: u64 = 300 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The day on which its facts were looked up, as `YYYY-MM-DD`.
    pub as_of: String,
    /// Where from.
    pub sources: Vec<String>,
    pub models: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is pulled and run by.
    pub name: String,
    /// One line.
    pub about: String,
    /// An SPDX identifier.
    pub licence: String,
    /// As its makers count them, like `4B`.
    pub parameters: String,
    pub quantization: String,
    /// Tokens that it was trained for.
    pub context_window: u32,
    pub tools: Tools,
    #[serde(deserialize_with = "url")]
    pub url: Url,
    pub size_bytes: u64,
    pub sha256: Digest,
    /// Keys and values of a token at 16 bits: 2 × layers × heads of keys × size of a head × 2.
    cache_bytes_per_token: u64,
}

/// How a model calls tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tools {
    /// It was trained to, and its chat template has them.
    Trained,
    /// It is shown them as text; a grammar keeps the calls valid.
    Shown,
}

impl Entry {
    /// Memory that it takes with so many tokens of context: an estimate.
    pub fn memory_bytes(&self, context: u32) -> u64 {
        let tokens = u64::from(context.min(self.context_window));
        self.size_bytes + self.cache_bytes_per_token * tokens + BESIDE_BYTES
    }
}

impl Catalogue {
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.name == name)
    }
}

/// The catalogue of this program.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| match serde_json::from_str(DATA) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            // Under test; a program that lists nothing is better than one that does not start.
            tracing::error!(%error, "the catalogue cannot be read");
            Catalogue { as_of: String::new(), sources: Vec::new(), models: Vec::new() }
        }
    })
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    Url::parse(&text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::name::ModelName;

    #[test]
    fn every_entry_is_whole() {
        serde_json::from_str::<Catalogue>(DATA).unwrap();
        let catalogue = catalogue();
        assert_eq!(catalogue.as_of.len(), "2026-11-26".len());
        assert!(!catalogue.sources.is_empty() && catalogue.models.len() >= 5);
        let mut seen = BTreeSet::new();
        let mut size = 0;
        for entry in &catalogue.models {
            let name = &entry.name;
            assert_eq!(ModelName::new(name).unwrap().as_str(), name);
            assert!(seen.insert(name.clone()) && seen.insert(entry.sha256.to_string()), "{name}");
            assert_eq!(entry.url.scheme(), "https", "{name}");
            // Of a fixed revision: what a branch points to changes, and the digest would not fit.
            let revision = entry.url.path_segments().unwrap().nth(3).unwrap();
            assert!(
                revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()),
                "{name}"
            );
            ModelName::from_url(&entry.url).unwrap();
            assert!(!entry.about.is_empty() && !entry.licence.contains(' '), "{name}");
            assert!(entry.size_bytes > size, "{name}: by size, the smallest first");
            size = entry.size_bytes;
            assert!(entry.memory_bytes(8_192) > entry.size_bytes, "{name}");
            assert_eq!(entry.memory_bytes(u32::MAX), entry.memory_bytes(entry.context_window));
            assert!(entry.cache_bytes_per_token.is_multiple_of(1_024), "{name}");
        }
    }
}
