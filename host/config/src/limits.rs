//! `limits`: how often an agent may ask for a model.

use std::num::{NonZeroU32, NonZeroU64};

use crate::field::{Field, Keys};

/// Requests and tokens: above what any provider allows; a larger number is a slip.
const MINUTE_MAX: u64 = 1 << 30;
/// Requests at the same time: sockets and memory end before.
const CONCURRENT_MAX: u64 = 10_000;

/// Limits of an agent in one process; `None` does not limit. What an agent does not say is taken
/// over from the top, where they are the limits of each agent and not of all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// `requests_per_minute`.
    pub requests_per_minute: Option<NonZeroU32>,
    /// `tokens_per_minute`: in and out.
    pub tokens_per_minute: Option<NonZeroU64>,
    /// `concurrent`: requests at the same time.
    pub concurrent: Option<NonZeroU32>,
}

pub(crate) const KEYS: Keys =
    Keys { known: &["requests_per_minute", "tokens_per_minute", "concurrent"], later: &[] };
/// At the top.
pub(crate) const TOP_KEYS: Keys = Keys {
    known: &["requests_per_minute", "tokens_per_minute", "concurrent", "concurrent_together"],
    later: &[],
};

impl Limits {
    /// Reads what is written over what is taken over.
    pub(crate) fn read(self, field: &Field<'_>, keys: &Keys) -> Self {
        let Some(table) = field.table(keys) else { return self };
        let number = |name, most| table.get(name).and_then(|field| field.number::<u64>(1..=most));
        let small = |number: u64| u32::try_from(number).ok().and_then(NonZeroU32::new);
        Self {
            requests_per_minute: number("requests_per_minute", MINUTE_MAX)
                .and_then(small)
                .or(self.requests_per_minute),
            tokens_per_minute: number("tokens_per_minute", MINUTE_MAX)
                .and_then(NonZeroU64::new)
                .or(self.tokens_per_minute),
            concurrent: number("concurrent", CONCURRENT_MAX).and_then(small).or(self.concurrent),
        }
    }

    /// `concurrent_together`, of the limits at the top.
    pub(crate) fn together(field: &Field<'_>) -> Option<NonZeroU32> {
        NonZeroU32::new(field.peek("concurrent_together")?.number(1..=CONCURRENT_MAX)?)
    }
}
