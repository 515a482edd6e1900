//! `budget`, of one agent or of all together.

use domain::{NanoDollars, OnExceeded, Window};

use crate::field::{Field, Keys};
use crate::problem::Fault;

/// When nothing else is written, in percent: early enough to act on, late enough to mean it.
pub const WARN_AT_DEFAULT: u8 = 80;
/// Warnings of one budget: one at each tenth is more than anyone reads.
pub const WARN_AT_MAX: usize = 10;

/// Caps on spend. A window without an amount has no cap; an amount of zero allows only what is
/// free. The other settings are taken over from the system-wide budget where an agent's does not
/// say otherwise; amounts are not, since both apply.
///
/// Amounts are dollars: `$0.50`, `0.5` or `2`, with at most nine decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// `task`: for one task, or one `run`.
    pub task: Option<NanoDollars>,
    /// `daily`: from midnight to midnight in the configured time zone.
    pub daily: Option<NanoDollars>,
    /// `weekly`: from Monday to Sunday.
    pub weekly: Option<NanoDollars>,
    /// `monthly`: by the calendar.
    pub monthly: Option<NanoDollars>,
    /// `total`: for ever.
    pub total: Option<NanoDollars>,
    /// `on_exceeded`: `degrade` (the default), `pause`, `stop` or `alert`.
    pub on_exceeded: OnExceeded,
    /// `fallback_model`: who answers after `degrade`; `None` is the local model.
    pub fallback_model: Option<String>,
    /// `warn_at`: a percentage or a list of some, each from 1 to 100, ascending; at most
    /// [`WARN_AT_MAX`]. By default [`WARN_AT_DEFAULT`]; an empty list warns never.
    pub warn_at: Vec<u8>,
}

pub(crate) const KEYS: Keys = Keys {
    known: &[
        "task",
        "daily",
        "weekly",
        "monthly",
        "total",
        "on_exceeded",
        "fallback_model",
        "warn_at",
    ],
    later: &[],
};

impl Default for Budget {
    fn default() -> Self {
        Self {
            task: None,
            daily: None,
            weekly: None,
            monthly: None,
            total: None,
            on_exceeded: OnExceeded::default(),
            fallback_model: None,
            warn_at: vec![WARN_AT_DEFAULT],
        }
    }
}

impl Budget {
    /// The caps that are set.
    pub fn caps(&self) -> impl Iterator<Item = (Window, NanoDollars)> {
        [
            (Window::Task, self.task),
            (Window::Daily, self.daily),
            (Window::Weekly, self.weekly),
            (Window::Monthly, self.monthly),
            (Window::Total, self.total),
        ]
        .into_iter()
        .filter_map(|(window, cap)| Some((window, cap?)))
    }

    /// A budget without amounts and with another's settings: what an agent starts from.
    pub(crate) fn settings(&self) -> Self {
        Self {
            on_exceeded: self.on_exceeded,
            fallback_model: self.fallback_model.clone(),
            warn_at: self.warn_at.clone(),
            ..Self::default()
        }
    }

    /// Reads what is written over what is taken over.
    pub(crate) fn read(mut self, field: &Field<'_>) -> Self {
        let Some(table) = field.table(&KEYS) else { return self };
        let amount = |name| table.get(name).and_then(|field| field.amount());
        self.task = amount("task");
        self.daily = amount("daily");
        self.weekly = amount("weekly");
        self.monthly = amount("monthly");
        self.total = amount("total");
        if let Some(verdict) = table.get("on_exceeded").and_then(|field| {
            field.parsed(|name| {
                OnExceeded::from_name(name).ok_or("write `degrade`, `pause`, `stop` or `alert`")
            })
        }) {
            self.on_exceeded = verdict;
        }
        if let Some(model) = table.get("fallback_model").and_then(|field| field.model()) {
            self.fallback_model = Some(model);
        }
        if let Some(percents) = table.get("warn_at").and_then(|field| warn_at(&field)) {
            self.warn_at = percents;
        }
        self
    }
}

fn warn_at(field: &Field<'_>) -> Option<Vec<u8>> {
    let items = field.list_or_one()?;
    if items.len() > WARN_AT_MAX {
        let reason = format!("more than {WARN_AT_MAX} percentages");
        field.report(Fault::Value { reason });
        return None;
    }
    let mut percents: Vec<u8> = items.iter().filter_map(|item| item.number(1..=100)).collect();
    percents.sort_unstable();
    percents.dedup();
    Some(percents)
}
