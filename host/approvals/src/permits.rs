//! Approvals that a person gave to a harness's own question, kept for the call that it was about.
//!
//! A harness may ask first (`permit`) and then make the very call through the host: the user must
//! not be asked twice. An id alone opens nothing, because a guest could show one command and run
//! another; so each counts once, for the same id, and for what was shown.

use std::collections::VecDeque;

use serde_json::Value;

use crate::action::{Action, What};

/// Approved calls that are still to come: as many as may be open in a session.
const PERMITS_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Permits(VecDeque<Shown>);

/// What the person saw.
struct Shown {
    id: String,
    tool: String,
    input: String,
}

impl Permits {
    /// A person approved this question of a harness.
    pub fn add(&mut self, action: &Action<'_>) {
        let (id, tool, input) = match (action.what, action.call) {
            (What::Permit(call), Some(id)) => (id, call.tool.as_str(), call.input.as_str()),
            (What::Tool { name, arguments }, Some(id)) => (id, name, arguments),
            _ => return,
        };
        if self.0.len() >= PERMITS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Shown { id: id.into(), tool: tool.into(), input: input.into() });
    }

    /// Whether the action was approved so; the approval is used up.
    pub fn take(&mut self, action: &Action<'_>) -> bool {
        let Some(id) = action.call.filter(|_| !action.ahead) else { return false };
        let shown = |shown: &Shown| shown.id == id && shows(shown, action);
        match self.0.iter().position(shown) {
            Some(at) => self.0.remove(at).is_some(),
            None => false,
        }
    }
}

/// Whether the person saw just this.
fn shows(shown: &Shown, action: &Action<'_>) -> bool {
    let Ok(input) = serde_json::from_str::<Value>(&shown.input) else { return false };
    match action.what {
        What::Command { script } => holds(&input, script),
        What::Tool { name, arguments } => {
            shown.tool == name
                && serde_json::from_str::<Value>(arguments)
                    .is_ok_and(|arguments| arguments == input)
        }
        _ => false,
    }
}

/// Whether a value in it is this very text.
fn holds(input: &Value, text: &str) -> bool {
    match input {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::event::{Call, Kind};

    use super::*;

    fn call(id: &str, tool: &str, input: &str) -> Call {
        Call {
            id: id.into(),
            tool: tool.into(),
            kind: Kind::Other,
            title: tool.into(),
            input: input.into(),
            locations: Vec::new(),
        }
    }

    #[test]
    fn it_counts_once_for_what_was_shown() {
        let shown = call("1", "bash", "{\"command\": \"git push\", \"why\": [\"x\"]}");
        for (action, counts) in [
            (Action::command("git push", Some("1")), true),
            (Action::command("x", Some("1")), true),
            (Action::command("git push --force", Some("1")), false),
            (Action::command("command", Some("1")), false),
            (Action::command("git push", Some("2")), false),
            (Action::command("git push", None), false),
            (Action::tool("bash", "{\"why\":[\"x\"],\"command\":\"git push\"}", "1"), true),
            (Action::tool("bash", "{\"command\":\"git push\"}", "1"), false),
            (Action::tool("other", "{\"why\":[\"x\"],\"command\":\"git push\"}", "1"), false),
            (Action::tool("bash", "not json", "1"), false),
            (Action::verb("memory.add", "git push"), false),
        ] {
            let mut permits = Permits::default();
            permits.add(&Action::permit(&shown));
            assert_eq!(permits.take(&action), counts, "{action:?}");
            assert!(!permits.take(&action), "only once");
        }
        let mut permits = Permits::default();
        permits.add(&Action::permit(&call("1", "bash", "git push")));
        assert!(!permits.take(&Action::command("git push", Some("1"))), "the input is not JSON");
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut permits = Permits::default();
        for n in 0..=PERMITS_MAX {
            permits.add(&Action::permit(&call(&n.to_string(), "bash", "[\"ls\"]")));
        }
        assert!(!permits.take(&Action::command("ls", Some("0"))));
        assert!(permits.take(&Action::command("ls", Some("1"))));
    }
}
