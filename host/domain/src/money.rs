//! Money. Always an integer of nano-dollars (10^-9 US dollars), never a float.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::chat::Usage;

const NANOS_PER_DOLLAR: u64 = 1_000_000_000;
const TOKENS_PER_PRICE: u128 = 1_000_000;

/// An amount of money in nano-dollars; at most 2^63-1 (SQLite's integer), about 9.2 billion dollars.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoDollars(pub u64);

/// Why an amount could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount; write dollars with at most nine decimals, like `$0.50` or `2`")]
pub struct AmountError(String);

impl NanoDollars {
    pub const ZERO: Self = Self(0);
    /// The largest amount the ledger can hold.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// Adds, staying at `MAX` when it would pass it: an amount that large must still compare as
    /// "too much".
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(Self::MAX.0))
    }

    /// Reads `$0.50`, `0.5`, `2`, `$1,000`: exact decimals, no rounding.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let error = || AmountError(text.to_owned());
        let plain = text.trim();
        let plain = plain.strip_prefix('$').unwrap_or(plain).replace(['_', ','], "");
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || !digits(whole)
            || !digits(fraction)
            || fraction.len() > 9
        {
            return Err(error());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| error())? };
        let nanos: u64 = format!("{fraction:0<9}").parse().map_err(|_| error())?;
        whole
            .checked_mul(NANOS_PER_DOLLAR)
            .and_then(|n| n.checked_add(nanos))
            .filter(|n| *n <= Self::MAX.0)
            .map(Self)
            .ok_or_else(error)
    }
}

impl fmt::Display for NanoDollars {
    /// Exact: `$0.50`, `$0.000000123`, at least two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:09}", self.0 % NANOS_PER_DOLLAR);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "${}.{}", self.0 / NANOS_PER_DOLLAR, &fraction[..kept])
    }
}

/// A price that holds for a whole request when its input is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Tokens of input; it holds for more than these.
    pub above: u64,
    pub price: Price,
}

/// What a model costs, in nano-dollars per million tokens: $0.0375 per million is 37,500,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub input: u64,
    /// Input read from the provider's cache.
    pub cached: u64,
    /// Input written to the provider's cache.
    pub cache_write: u64,
    pub output: u64,
}

impl Price {
    pub const FREE: Self = Self { input: 0, cached: 0, cache_write: 0, output: 0 };

    pub fn is_free(&self) -> bool {
        *self == Self::FREE
    }

    /// The price of a request with so many tokens of input: this one, or the highest tier's that it
    /// passes. `tiers` in any order.
    pub fn at(self, tiers: &[Tier], input: u64) -> Self {
        let passed = tiers.iter().filter(|tier| input > tier.above);
        passed.max_by_key(|tier| tier.above).map_or(self, |tier| tier.price)
    }

    /// The dearest that any request with at most so many tokens of input can cost, kind by kind.
    pub fn dearest(self, tiers: &[Tier], input: u64) -> Self {
        let reachable = tiers.iter().filter(|tier| input > tier.above);
        reachable.fold(self, |most, Tier { price, .. }| Self {
            input: most.input.max(price.input),
            cached: most.cached.max(price.cached),
            cache_write: most.cache_write.max(price.cache_write),
            output: most.output.max(price.output),
        })
    }

    /// The price of what was used, rounded up to a whole nano-dollar once, over the sum.
    pub fn cost(&self, usage: &Usage) -> NanoDollars {
        let cached = usage.cached.min(usage.input);
        let written = usage.cache_written.min(usage.input - cached);
        let plain = usage.input - cached - written;
        let sum = [
            (plain, self.input),
            (cached, self.cached),
            (written, self.cache_write),
            (usage.output, self.output),
        ]
        .iter()
        .fold(0u128, |sum, (tokens, price)| {
            sum.saturating_add(u128::from(*tokens) * u128::from(*price))
        });
        let nanos = sum.div_ceil(TOKENS_PER_PRICE).min(u128::from(NanoDollars::MAX.0));
        NanoDollars(u64::try_from(nanos).unwrap_or(NanoDollars::MAX.0))
    }

    /// An upper bound for `input` tokens in (at the dearest way to bill them) and `output` out.
    pub fn worst_case(&self, input: u64, output: u64) -> NanoDollars {
        let dearest = self.input.max(self.cached).max(self.cache_write);
        let bound =
            Price { input: dearest, cached: dearest, cache_write: dearest, output: self.output };
        bound.cost(&Usage { input, output, ..Usage::default() })
    }

    /// The most output tokens that `money` buys after `input` tokens; `None` when even the input
    /// does not fit or output is free.
    pub fn affordable_output(&self, money: NanoDollars, input: u64) -> Option<u64> {
        let rest = money.0.checked_sub(self.worst_case(input, 0).0)?;
        if self.output == 0 {
            return None;
        }
        // One nano-dollar is kept back for the rounding of the sum.
        let tokens =
            u128::from(rest.saturating_sub(1)) * TOKENS_PER_PRICE / u128::from(self.output);
        Some(u64::try_from(tokens).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        for (text, nanos, shown) in [
            ("$0.50", 500_000_000, "$0.50"),
            ("2", 2_000_000_000, "$2.00"),
            (".000000001", 1, "$0.000000001"),
            ("$1,000.25", 1_000_250_000_000, "$1000.25"),
            ("0", 0, "$0.00"),
        ] {
            let amount = NanoDollars::parse(text).unwrap();
            assert_eq!(amount.0, nanos, "{text}");
            assert_eq!(amount.to_string(), shown, "{text}");
        }
        for bad in ["", "$", "-1", "1e3", "0.0000000001", "one", "99999999999999", "1.2.3", "."] {
            assert!(NanoDollars::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn cost_is_rounded_up_once() {
        let price = Price { input: 37_500_000, cached: 1, cache_write: 2, output: 150_000_000 };
        let usage = Usage { input: 3, cached: 1, cache_written: 1, output: 1, reasoning: 0 };
        // (37.5e6 + 1 + 2 + 150e6) / 1e6 = 187.500003
        assert_eq!(price.cost(&usage), NanoDollars(188));
        assert_eq!(Price::FREE.cost(&usage), NanoDollars::ZERO);
    }

    #[test]
    fn a_lying_cache_count_never_makes_input_negative() {
        let price = Price { input: 1_000_000, cached: 0, cache_write: 0, output: 0 };
        let usage = Usage { input: 5, cached: 9, cache_written: 9, ..Usage::default() };
        assert_eq!(price.cost(&usage), NanoDollars::ZERO);
    }

    #[test]
    fn a_long_input_has_a_price_of_its_own() {
        let flat = |n| Price { input: n, cached: n, cache_write: n, output: n };
        // A tier that is cheaper in one kind must not make the worst case too small.
        let odd = Price { output: 1, ..flat(9) };
        let tiers = [Tier { above: 200, price: flat(5) }, Tier { above: 900, price: odd }];
        for (input, at, dearest) in [
            (0, flat(2), flat(2)),
            (200, flat(2), flat(2)),
            (201, flat(5), flat(5)),
            (900, flat(5), flat(5)),
            (901, odd, Price { output: 5, ..flat(9) }),
        ] {
            assert_eq!(flat(2).at(&tiers, input), at, "{input}");
            assert_eq!(flat(2).dearest(&tiers, input), dearest, "{input}");
        }
    }

    #[test]
    fn affordable_output_fits_the_money() {
        let price = Price {
            input: 3_000_000_000,
            cached: 0,
            cache_write: 3_750_000_000,
            output: 15_000_000_000,
        };
        for money in [1u64, 1_000_000, 123_456_789] {
            for input in [0u64, 1, 100] {
                if let Some(output) = price.affordable_output(NanoDollars(money), input) {
                    assert!(price.worst_case(input, output).0 <= money, "{money} {input} {output}");
                }
            }
        }
        assert_eq!(price.affordable_output(NanoDollars(10), 1_000), None);
    }
}
