//! The ledger after a run: how every request ended.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::NanoDollars;
use store::Store;
use store::ledger::{Ending, Filter, Spend};

use crate::Place;

/// More requests than any test makes.
const ALL: u32 = 100;

impl Place {
    /// Every request of this place, the oldest first. Whatever is still reserved by a process that
    /// ended would show as recovered here; see [`Place::spends_settled`].
    pub fn spends(&self) -> Vec<Spend> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        let now_ms = u64::try_from(since.as_millis()).expect("a clock before the year 500 million");
        let store = Store::open(&self.data(), now_ms).expect("a readable data directory");
        let mut spends = store.ledger().history(&Filter::default(), ALL).expect("a history");
        spends.reverse();
        spends
    }

    /// The same, and nothing was left for a recovery to find.
    #[track_caller]
    pub fn spends_settled(&self) -> Vec<Spend> {
        let spends = self.spends();
        for spend in &spends {
            assert_ne!(spend.ending, Ending::Recovered, "left reserved: {spend:#?}");
        }
        spends
    }

    /// What all of them cost.
    #[track_caller]
    pub fn spent(&self) -> NanoDollars {
        let costs = self.spends_settled().into_iter().map(|spend| spend.cost);
        costs.fold(NanoDollars::ZERO, NanoDollars::saturating_add)
    }
}
