//! `approvals`, of one agent or of all together. Both hold: the lists are joined.

use approvals::{Rule, Rules};

use crate::field::{Field, Keys};
use crate::problem::Fault;

/// Rules of one list: each is compared with every call, and nobody keeps more in mind.
const RULES_MAX: usize = 256;

pub(crate) const KEYS: Keys = Keys { known: &["allow", "ask", "deny"], later: &[] };

pub(crate) fn read(field: &Field<'_>) -> Rules {
    let Some(table) = field.table(&KEYS) else { return Rules::default() };
    let list = |name| table.get(name).map(|field| rules(&field)).unwrap_or_default();
    Rules { allow: list("allow"), ask: list("ask"), deny: list("deny") }
}

fn rules(field: &Field<'_>) -> Vec<Rule> {
    let items = field.list_or_one().unwrap_or_default();
    if items.len() > RULES_MAX {
        field.report(Fault::Value { reason: format!("more than {RULES_MAX} rules") });
    }
    items.iter().take(RULES_MAX).filter_map(|item| item.parsed(str::parse)).collect()
}
