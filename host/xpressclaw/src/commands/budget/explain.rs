//! What requests cost, and why: every token at its price, and what became of the reservation.

use anyhow::Result;
use domain::NanoDollars;
use domain::chat::Usage;
use serde::Serialize;
use store::Store;
use store::ledger::{Ending, Filter, HISTORY_PAGE_MAX, Spend};

use super::super::output::{self, Money};
use super::super::table::{Align, Table};
use super::super::time;
use super::row::Row;
use crate::cli::{ExplainArgs, Format};
use crate::exit::{Exit, Failure};
use crate::render::plain;

/// Tokens of one kind and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Item {
    /// `input`, `cached`, `cache_written` or `output`; the kinds do not overlap.
    tokens_of: &'static str,
    tokens: u64,
    /// For a million.
    price: Money,
    /// Dollars, exact: it may have more decimals than the ledger's nano-dollars.
    amount: String,
    /// The same in millionths of a nano-dollar.
    #[serde(skip)]
    units: u128,
}

/// A price is nano-dollars for a million tokens, so one token's is millionths of a nano-dollar.
const UNITS_PER_NANO: u128 = 1_000_000;
const UNITS_PER_DOLLAR: u128 = 1_000_000_000 * UNITS_PER_NANO;

#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    request: Row,
    items: Vec<Item>,
    remarks: Vec<String>,
}

pub fn run(store: &Store, args: &ExplainArgs) -> Result<Exit> {
    let spends = found(store, args)?;
    if spends.is_empty() {
        output::note("no request matches");
    }
    match args.format {
        Format::Json => output::print_json(
            &spends
                .into_iter()
                .map(|spend| Explained {
                    items: items(&spend),
                    remarks: remarks(&spend),
                    request: spend.into(),
                })
                .collect::<Vec<_>>(),
        )?,
        Format::Text => output::print(&as_text(&spends))?,
    }
    Ok(Exit::Ok)
}

/// Oldest first: a story is told from its beginning.
fn found(store: &Store, args: &ExplainArgs) -> Result<Vec<Spend>> {
    let ledger = store.ledger();
    let Some(id) = args.id else {
        let filter = Filter {
            agent: args.agent.as_ref(),
            session: args.session.as_ref(),
            turn: args.turn.as_ref(),
            ..Filter::default()
        };
        let mut spends = ledger.history(&filter, HISTORY_PAGE_MAX)?;
        spends.reverse();
        return Ok(spends);
    };
    match ledger.spend(id)? {
        Some(spend) => Ok(vec![spend]),
        None => Err(Failure::new(Exit::Failed, format!("no request `{id}` is settled"))
            .hint("`xpressclaw budget history` shows the last ones")
            .into()),
    }
}

/// The arithmetic of [`Price::cost`], item by item.
fn items(spend: &Spend) -> Vec<Item> {
    let Spend { usage, price, .. } = spend;
    let cached = usage.cached.min(usage.input);
    let written = usage.cache_written.min(usage.input - cached);
    [
        ("input", usage.input - cached - written, price.input),
        ("cached", cached, price.cached),
        ("cache_written", written, price.cache_write),
        ("output", usage.output, price.output),
    ]
    .into_iter()
    .filter(|(_, tokens, _)| *tokens > 0)
    .map(|(tokens_of, tokens, price)| Item {
        tokens_of,
        tokens,
        price: NanoDollars(price).into(),
        amount: exact(u128::from(tokens) * u128::from(price)),
        units: u128::from(tokens) * u128::from(price),
    })
    .collect()
}

/// Dollars with all their decimals, at least two.
fn exact(units: u128) -> String {
    let fraction = format!("{:015}", units % UNITS_PER_DOLLAR);
    let kept = fraction.trim_end_matches('0').len().max(2);
    format!("${}.{}", units / UNITS_PER_DOLLAR, &fraction[..kept])
}

/// What the numbers alone do not say.
fn remarks(spend: &Spend) -> Vec<String> {
    let Spend { requested_model, model, usage, reserved, cost, overshoot, .. } = spend;
    let mut remarks = Vec::new();
    if requested_model != model {
        remarks.push(format!("`{requested_model}` was asked for, and routed to `{model}`"));
    }
    match spend.ending {
        Ending::Released => remarks.push("no provider billed it: nothing is booked".into()),
        Ending::Recovered => remarks.push(
            "its process ended before it was settled: the whole reservation is booked".into(),
        ),
        Ending::Settled if *usage == Usage::default() && reserved == cost && cost.0 > 0 => {
            remarks.push("what it used is not known: the whole reservation is booked".into())
        }
        Ending::Settled => {}
    }
    if overshoot.0 > 0 {
        remarks.push(format!("the provider charged {overshoot} more than was reserved"));
    } else if reserved > cost {
        let back = NanoDollars(reserved.0 - cost.0);
        remarks.push(format!("{reserved} were reserved, {back} given back"));
    }
    remarks
}

fn as_text(spends: &[Spend]) -> String {
    let mut text = String::new();
    for spend in spends {
        text.push_str(&head(spend));
        let mut table = Table::new(&[
            ("", Align::Left),
            ("", Align::Right),
            ("", Align::Left),
            ("", Align::Right),
        ]);
        let items = items(spend);
        let rounding = rounding(&items);
        for item in items {
            table.row([
                format!("  {}", item.tokens_of.replace('_', " ")).into(),
                item.tokens.to_string().into(),
                format!("at {}", item.price.text).into(),
                item.amount.into(),
            ]);
        }
        table.row(["  cost".into(), "".into(), rounding.into(), spend.cost.to_string().into()]);
        text.push_str(&table.render());
        for remark in remarks(spend) {
            text.push_str(&format!("  {}\n", plain(&remark)));
        }
        text.push('\n');
    }
    if spends.len() > 1 {
        let cost = spends.iter().fold(NanoDollars::ZERO, |sum, s| sum.saturating_add(s.cost));
        text.push_str(&format!("{} requests, {cost}\n", spends.len()));
    }
    text
}

fn head(spend: &Spend) -> String {
    let mut head = format!("request {} · {}", spend.id, spend.agent);
    if let Some(session) = &spend.session {
        head.push_str(&format!(" · session {session}"));
    }
    let served = spend.served_model.as_deref().unwrap_or(&spend.model);
    format!("{} · {} · {}\n", head, plain(served), time::local(spend.reserved_at))
}

/// Said where the sum has more decimals than the ledger.
fn rounding(items: &[Item]) -> &'static str {
    // Each product is below 2^128; only their remainders are needed.
    let rest = items.iter().map(|item| item.units % UNITS_PER_NANO).sum::<u128>();
    if rest.is_multiple_of(UNITS_PER_NANO) { "" } else { "rounded up" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_all_their_decimals() {
        for (units, text) in [
            (0, "$0.00"),
            (2_801 * 3_000_000_000, "$0.008403"),
            (37_500_000, "$0.0000000375"),
            (1_000_000 * 3_000_000_000, "$3.00"),
            (1, "$0.000000000000001"),
            (u128::MAX, "$340282366920938463463374.607431768211455"),
        ] {
            assert_eq!(exact(units), text);
        }
    }
}
