//! What is reported to the user.

use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::harness::turn::emit;
use crate::xpressclaw::harness::types::{
    Call, CallContent, CallOutput, CallUpdate, Event, PlanEntry, Status,
};

use crate::tools::Outcome;

/// A title is one line on a terminal.
const TITLE_CHARACTERS: usize = 100;

pub fn message(piece: String) {
    emit(&Event::Message(Part::Text(piece)));
}

pub fn thought(piece: String) {
    emit(&Event::Thought(piece));
}

/// Something that the user should know and that is not part of the answer.
pub fn notice(text: String) {
    emit(&Event::Notice(text));
}

pub fn plan(entries: Vec<PlanEntry>) {
    emit(&Event::Plan(entries));
}

/// A call before it runs.
pub fn call(call: Call) {
    emit(&Event::Call(call));
}

/// What a running command has printed.
pub fn output(id: &str, text: String) {
    if !text.is_empty() {
        emit(&Event::CallOutput(CallOutput { id: id.to_owned(), text }));
    }
}

/// What became of a call.
pub fn outcome(id: &str, outcome: &Outcome) {
    let parts = outcome.content.iter().cloned().map(CallContent::Part);
    let diff = outcome.diff.iter().cloned().map(CallContent::Diff);
    update(id, outcome.status, Some(parts.chain(diff).collect()), outcome.output.clone());
}

/// A call is under way.
pub fn in_progress(id: &str) {
    update(id, Status::InProgress, None, None);
}

fn update(id: &str, status: Status, content: Option<Vec<CallContent>>, output: Option<String>) {
    let update = CallUpdate { id: id.to_owned(), status: Some(status), content, output };
    emit(&Event::CallUpdate(update));
}

/// The first line of `text` behind a tool's name.
pub fn title(tool: &str, text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut title = if line.is_empty() { tool.to_owned() } else { format!("{tool} {line}") };
    if let Some((end, _)) = title.char_indices().nth(TITLE_CHARACTERS) {
        title.truncate(end);
        title.push('…');
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(title("read", "src/lib.rs"), "read src/lib.rs");
        assert_eq!(title("bash", "\n ls\necho"), "bash ls");
        assert_eq!(title("task_list", ""), "task_list");
        let long = title("bash", &"ä".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with("ä…")), (101, true));
    }
}
