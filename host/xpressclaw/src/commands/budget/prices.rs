//! What models cost, who says so, and whether it holds here.

use anyhow::Result;
use config::{Config, Provider};
use domain::{Price, Tier};
use prices::{Listed, Shop};
use serde::Serialize;

use super::super::Context;
use super::super::output::{self, PricePerMillion};
use super::super::table::{Align, Cell, Table};
use crate::cli::{Format, PricesArgs};
use crate::exit::{Exit, Failure};
use crate::models::LOCAL;
use crate::render::{DIM, plain};

/// The price of one model, for inputs of one length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    kind: &'static str,
    /// As users write it.
    model: String,
    /// Tokens of input; it holds for requests with more than these.
    above: u64,
    price: PricePerMillion,
    /// `configuration`, `table` or `program`, for what runs here and costs nothing.
    source: &'static str,
    /// The day on which the table was made.
    as_of: Option<&'static str>,
    /// The price page.
    url: Option<&'static str>,
    /// Whether a request would be priced so: its provider is configured.
    in_force: bool,
    #[serde(skip)]
    text: String,
}

/// Where a price is from.
#[derive(Clone, Copy)]
enum Origin {
    Configuration,
    Table { shop: &'static Shop, in_force: bool },
    Program,
}

pub fn run(context: &Context, args: &PricesArgs) -> Result<Exit> {
    let mut rows = all(&context.config);
    if let Some(wanted) = &args.model {
        rows = matching(&context.config, rows, wanted)?;
    }
    match args.format {
        Format::Json => output::print_json(&rows)?,
        Format::Text => {
            output::note(&format!(
                "dollars for a million tokens; the table is of {}: {}",
                prices::table().as_of,
                prices::table().sources.join("; ")
            ));
            output::print(&as_text(rows))?;
        }
    }
    Ok(Exit::Ok)
}

/// What holds, and then what would hold if its provider was configured.
fn all(config: &Config) -> Vec<Row> {
    let mut rows = priced(LOCAL, Price::FREE, &[], Origin::Program);
    for (name, provider) in &config.providers {
        for (id, model) in &provider.models {
            if let Some(price) = model.price {
                let name = format!("{name}/{id}");
                rows.extend(priced(&name, price, &model.tiers, Origin::Configuration));
            }
        }
        let Some(shop) = shop_of(provider) else { continue };
        let own = |id: &str| provider.models.get(id).is_some_and(|model| model.price.is_some());
        for listed in shop.models.iter().filter(|listed| !own(&listed.id)) {
            rows.extend(of_table(name, listed, shop, true));
        }
    }
    let configured = |shop: &Shop| {
        config.providers.values().filter_map(shop_of).any(|other| other.name == shop.name)
    };
    for shop in prices::table().shops.iter().filter(|shop| !configured(shop)) {
        for listed in &shop.models {
            rows.extend(of_table(&shop.provider, listed, shop, false));
        }
    }
    rows
}

/// The rows of one model; a name with a date is priced as the one without.
fn matching(config: &Config, rows: Vec<Row>, wanted: &str) -> Result<Vec<Row>, Failure> {
    let named = |row: &Row| {
        row.model == wanted || row.model.split_once('/').is_some_and(|(_, id)| id == wanted)
    };
    let found: Vec<_> = rows.into_iter().filter(named).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if let Some((name, id)) = wanted.split_once('/')
        && let Some(shop) = config.providers.get(name).and_then(shop_of)
        && let Some(listed) = shop.find(id)
    {
        let listed = Listed { id: id.to_owned(), ..listed.clone() };
        return Ok(of_table(name, &listed, shop, true));
    }
    let (provider, id) = wanted.split_once('/').unwrap_or(("NAME", wanted));
    Err(Failure::new(Exit::Failed, format!("the price of `{wanted}` is not known")).hint(format!(
        "add to xpressclaw.yaml (dollars per million tokens): providers: {{{provider}: {{models: \
         {{{id}: {{price: {{input: \"$…\", output: \"$…\"}}}}}}}}}}"
    )))
}

fn shop_of(provider: &Provider) -> Option<&'static Shop> {
    let url = url::Url::parse(&provider.base_url.replace("{model}", "model")).ok()?;
    prices::shop(url.host_str()?)
}

fn of_table(provider: &str, listed: &Listed, shop: &'static Shop, in_force: bool) -> Vec<Row> {
    let name = format!("{provider}/{}", listed.id);
    priced(&name, listed.price, &listed.tiers, Origin::Table { shop, in_force })
}

fn priced(model: &str, price: Price, tiers: &[Tier], origin: Origin) -> Vec<Row> {
    let (source, shop, in_force) = match origin {
        Origin::Configuration => ("configuration", None, true),
        Origin::Table { shop, in_force } => ("table", Some(shop), in_force),
        Origin::Program => ("program", None, true),
    };
    let row = |above, price: Price| Row {
        kind: "price",
        model: model.to_owned(),
        above,
        text: output::price(&price),
        price: price.into(),
        source,
        as_of: shop.map(|_| prices::table().as_of.as_str()),
        url: shop.map(|shop| shop.source.as_str()),
        in_force,
    };
    let tiers = tiers.iter().map(|tier| row(tier.above, tier.price));
    std::iter::once(row(0, price)).chain(tiers).collect()
}

fn as_text(rows: Vec<Row>) -> String {
    let mut table = Table::new(&[
        ("MODEL", Align::Left),
        ("INPUT ABOVE", Align::Right),
        ("PER MILLION", Align::Left),
        ("FROM", Align::Left),
        ("IN FORCE", Align::Left),
        ("PAGE", Align::Left),
    ]);
    for row in rows {
        let source = match row.as_of {
            Some(day) => format!("{} {day}", row.source),
            None => row.source.to_owned(),
        };
        table.row([
            plain(&row.model).into(),
            if row.above == 0 { String::new() } else { row.above.to_string() }.into(),
            row.text.into(),
            source.into(),
            if row.in_force { "yes" } else { "no provider" }.into(),
            Cell::styled(row.url.unwrap_or_default(), DIM),
        ]);
    }
    table.render()
}
