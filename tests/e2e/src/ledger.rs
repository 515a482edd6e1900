//! The ledger after a run, as `xpressclaw budget` shows it.

use serde_json::Value;

use crate::Place;

/// One request. Amounts are nano-dollars.
#[derive(Debug, PartialEq, Eq)]
pub struct Spend {
    pub agent: String,
    /// `settled`, `released` or `recovered`.
    pub ending: String,
    pub requested_model: String,
    pub model: String,
    pub reserved: u64,
    pub cost: u64,
}

impl Place {
    /// Every request of this place, the oldest first. What a dead process has left reserved shows
    /// as recovered.
    #[track_caller]
    pub fn spends(&self) -> Vec<Spend> {
        let done = self.command(["budget", "history", "--limit", "100", "--format", "json"]).done();
        let mut spends: Vec<_> = done.succeeded().lines_of_kind("request").map(spend).collect();
        spends.reverse();
        spends
    }

    /// The same, and nothing was left for a recovery to find.
    #[track_caller]
    pub fn spends_settled(&self) -> Vec<Spend> {
        let spends = self.spends();
        for spend in &spends {
            assert_ne!(spend.ending, "recovered", "left reserved: {spend:#?}");
        }
        spends
    }

    /// What all of them cost, as the sum over all agents says.
    #[track_caller]
    pub fn spent(&self) -> u64 {
        let requests: u64 = self.spends_settled().iter().map(|spend| spend.cost).sum();
        let done = self.command(["budget", "--format", "json"]).done().succeeded();
        let sum = done.lines_of_kind("total").find(|total| total["agent"].is_null());
        let sum = sum.map_or(0, |total| nanos(&total["cost"]));
        assert_eq!(sum, requests, "the sum is that of the requests");
        sum
    }
}

fn spend(row: Value) -> Spend {
    let text = |name: &str| row[name].as_str().expect("a text").to_owned();
    Spend {
        agent: text("agent"),
        ending: text("ending"),
        requested_model: text("requested_model"),
        model: text("model"),
        reserved: nanos(&row["reserved"]),
        cost: nanos(&row["cost"]),
    }
}

fn nanos(amount: &Value) -> u64 {
    amount["nano_dollars"].as_u64().expect("an amount in nano-dollars")
}
