//! What hosted models cost: a table with a date and its sources, part of the program.
//!
//! Why: a paid model without a price is refused, and nobody should have to copy price pages before
//! the first run. Called by the providers for models that the configuration does not price, and by
//! `budget prices`. What the configuration says goes before.
//!
//! A price is a shop's, not a model's: it is found by the host that the requests go to, so that
//! nothing is assumed about gateways, clouds and servers of one's own. This crate must never fetch
//! anything: a price that changes by itself would change what a budget means.

use std::sync::LazyLock;

use domain::money::{AmountError, Tier};
use domain::{NanoDollars, Price};
use serde::Deserialize;

/// The table as it is in the program.
const TABLE: &str = include_str!("../prices.json");

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The day on which the prices were read, as `2026-11-26`.
    pub as_of: String,
    /// Where from.
    pub sources: Vec<String>,
    pub shops: Vec<Shop>,
}

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    pub name: String,
    /// What its provider is mostly called in configurations.
    pub provider: String,
    /// Of its API, in lower case.
    pub hosts: Vec<String>,
    /// Its price page.
    pub source: String,
    pub models: Vec<Listed>,
}

/// A model and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name at the shop; dated versions of it cost the same.
    pub id: String,
    pub price: Price,
    /// Ascending; empty for most.
    pub tiers: Vec<Tier>,
}

/// The table.
pub fn table() -> &'static Table {
    // A test sees to it that it reads; without a table every price is unknown, which is refused.
    static READ: LazyLock<Table> = LazyLock::new(|| Table::read(TABLE).unwrap_or_default());
    &READ
}

/// Who answers at this host.
pub fn shop(host: &str) -> Option<&'static Shop> {
    table().shops.iter().find(|shop| shop.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)))
}

impl Shop {
    /// A model by its name, or by its name with a date: `gpt-5-2025-08-07`, `claude-x-20251001`.
    pub fn find(&self, model: &str) -> Option<&Listed> {
        let named = |name: &str| self.models.iter().find(|listed| listed.id == name);
        named(model).or_else(|| named(undated(model)?))
    }
}

/// A model's name without the date at its end.
fn undated(model: &str) -> Option<&str> {
    const FORMS: [&[usize]; 2] = [&[8], &[4, 2, 2]];
    for form in FORMS {
        let mut rest = model;
        let cut = form.iter().rev().all(|digits| match rest.rsplit_once('-') {
            Some((before, last))
                if last.len() == *digits && last.bytes().all(|b| b.is_ascii_digit()) =>
            {
                rest = before;
                true
            }
            _ => false,
        });
        if cut {
            return Some(rest);
        }
    }
    None
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Amount(#[from] AmountError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    as_of: String,
    #[serde(rename = "unit")]
    _unit: String,
    sources: Vec<String>,
    shops: Vec<RawShop>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShop {
    name: String,
    provider: String,
    hosts: Vec<String>,
    source: String,
    models: Vec<RawListed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListed {
    id: String,
    input: String,
    cached: Option<String>,
    cache_write: Option<String>,
    output: String,
    #[serde(default)]
    tiers: Vec<RawTier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTier {
    above: u64,
    input: String,
    cached: Option<String>,
    cache_write: Option<String>,
    output: String,
}

impl Table {
    fn read(json: &str) -> Result<Self, ReadError> {
        let raw: RawTable = serde_json::from_str(json)?;
        let shops = raw.shops.into_iter().map(Shop::read).collect::<Result<_, _>>()?;
        Ok(Self { as_of: raw.as_of, sources: raw.sources, shops })
    }
}

impl Shop {
    fn read(raw: RawShop) -> Result<Self, ReadError> {
        let RawShop { name, provider, hosts, source, models } = raw;
        let models = models.into_iter().map(Listed::read).collect::<Result<_, _>>()?;
        Ok(Self { name, provider, hosts, source, models })
    }
}

impl Listed {
    fn read(raw: RawListed) -> Result<Self, ReadError> {
        let base = price(&raw.input, raw.cached, raw.cache_write, &raw.output)?;
        let tiers = raw.tiers.into_iter().map(|raw| {
            let price = price(&raw.input, raw.cached, raw.cache_write, &raw.output)?;
            Ok(Tier { above: raw.above, price })
        });
        Ok(Self { id: raw.id, price: base, tiers: tiers.collect::<Result<_, ReadError>>()? })
    }
}

/// Dollars for a million tokens are nano-dollars for a million: the unit of [`Price`].
fn price(
    input: &str,
    cached: Option<String>,
    cache_write: Option<String>,
    output: &str,
) -> Result<Price, ReadError> {
    let amount = |text: &str| NanoDollars::parse(text).map(|amount| amount.0);
    let input = amount(input)?;
    let or_input = |text: Option<String>| text.map_or(Ok(input), |text| amount(&text));
    Ok(Price {
        input,
        cached: or_input(cached)?,
        cache_write: or_input(cache_write)?,
        output: amount(output)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let table = Table::read(TABLE).unwrap();
        assert_eq!(table.as_of.len(), "2026-11-26".len());
        assert!(!table.sources.is_empty() && table.shops.len() >= 6);
        for shop in &table.shops {
            assert!(!shop.hosts.is_empty() && shop.source.starts_with("https://"), "{shop:?}");
            for listed in &shop.models {
                let Listed { id, price, tiers } = listed;
                assert!(price.input > 0 && price.output > price.input, "{id}");
                assert!(price.cached <= price.input && price.cache_write >= price.input, "{id}");
                assert!(tiers.is_sorted_by_key(|tier| tier.above), "{id}");
                assert!(tiers.iter().all(|t| t.above > 0 && t.price.input > price.input), "{id}");
                assert_eq!(shop.models.iter().filter(|other| other.id == *id).count(), 1, "{id}");
            }
        }
    }

    #[test]
    fn a_price_is_found_by_host_and_name() {
        let openai = shop("api.openai.com").unwrap();
        let price = openai.find("gpt-5-mini").unwrap().price;
        assert_eq!(
            (price.input, price.cached, price.output),
            (250_000_000, 25_000_000, 2_000_000_000)
        );
        assert_eq!(openai.find("gpt-5-mini-2025-08-07").unwrap().id, "gpt-5-mini");
        let anthropic = shop("API.anthropic.com").unwrap();
        let price = anthropic.find("claude-haiku-4-5-20251001").unwrap().price;
        assert_eq!((price.cache_write, price.output), (1_250_000_000, 5_000_000_000));
        for unknown in ["gpt-5-", "gpt-5-mini-x", "gpt-5-mini-20250", "", "-20251001", "gpt-99"] {
            assert!(openai.find(unknown).is_none(), "{unknown}");
        }
        assert!(shop("gateway.example.com").is_none());
        assert!(shop("api.openai.com.example.com").is_none());
    }
}
