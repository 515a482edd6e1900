//! How commands print: data on stdout, everything else on stderr.
//!
//! JSON is one object a line, so that a program can read a long answer piece by piece and so that
//! a new kind of line breaks nobody.

use std::io::{ErrorKind, Write};

use anyhow::{Context as _, Result};
use domain::{NanoDollars, Price};
use serde::Serialize;

use crate::render::{DIM, json_line};

/// Prints data. A reader that has gone, like `head`, is no error.
pub fn print(data: &str) -> Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// Prints objects, one a line.
pub fn print_json<T: Serialize>(objects: &[T]) -> Result<()> {
    let lines = objects.iter().map(json_line).collect::<Result<String, _>>()?;
    print(&lines)
}

/// Says something beside the data. A closed stderr loses it.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{DIM}{text}{DIM:#}");
}

/// An amount in JSON: exact for programs, readable for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    pub nano_dollars: u64,
    pub text: String,
}

impl From<NanoDollars> for Money {
    fn from(amount: NanoDollars) -> Self {
        Self { nano_dollars: amount.0, text: amount.to_string() }
    }
}

/// A price in JSON: amounts for a million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PricePerMillion {
    pub input: Money,
    pub cached: Money,
    pub cache_write: Money,
    pub output: Money,
}

impl From<Price> for PricePerMillion {
    fn from(price: Price) -> Self {
        let money = |nanos| NanoDollars(nanos).into();
        Self {
            input: money(price.input),
            cached: money(price.cached),
            cache_write: money(price.cache_write),
            output: money(price.output),
        }
    }
}

/// A price for people: `$0.25 in, $0.025 cached, $2.00 out`, for a million tokens. Kinds that cost
/// what input costs are left out.
pub fn price(price: &Price) -> String {
    if price.is_free() {
        return "free".into();
    }
    let amount = |nanos| NanoDollars(nanos).to_string();
    let mut text = format!("{} in", amount(price.input));
    for (kind, nanos) in [("cached", price.cached), ("written", price.cache_write)] {
        if nanos != price.input {
            text.push_str(&format!(", {} {kind}", amount(nanos)));
        }
    }
    text.push_str(&format!(", {} out", amount(price.output)));
    text
}

/// `1.4 GiB`, `12 KiB`, `17 bytes`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match tenths {
        0..100 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", tenths / 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (10_240, "10 KiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 20) - 1, "1023 KiB"),
            (1_500_000_000, "1.3 GiB"),
            (u64::MAX, "1677721 TiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn prices() {
        let usual = Price {
            input: 250_000_000,
            cached: 25_000_000,
            cache_write: 250_000_000,
            output: 2_000_000_000,
        };
        assert_eq!(price(&usual), "$0.25 in, $0.025 cached, $2.00 out");
        let written = Price { cached: usual.input, cache_write: 312_500_000, ..usual };
        assert_eq!(price(&written), "$0.25 in, $0.3125 written, $2.00 out");
        assert_eq!(price(&Price::FREE), "free");
    }

    #[test]
    fn money_is_exact_and_readable() {
        let json = serde_json::to_string(&Money::from(NanoDollars(1_234_000_001))).unwrap();
        assert_eq!(json, r#"{"nano_dollars":1234000001,"text":"$1.234000001"}"#);
    }
}
