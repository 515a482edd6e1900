//! How large an emitted event is, and what is left of one that is too large.

use domain::event::{Call, CallContent, CallUpdate, Command, HarnessEvent, PlanEntry};
use domain::limits::EVENT_MAX_BYTES;
use domain::{Blob, Part};

/// What stands at the end of a text that was cut.
const MARK: &str = "… [cut]";
/// What an entry of a list holds besides its texts: a bound for lists of empty ones.
const ENTRY_BYTES: usize = 64;
/// What is kept of the texts around the one that is cut: ids, names, titles.
const LABEL_MAX_BYTES: usize = 4_096;

/// Bytes that an event holds.
pub(crate) fn size(event: &HarnessEvent) -> usize {
    match event {
        HarnessEvent::Message { part } => part.size(),
        HarnessEvent::Thought { text }
        | HarnessEvent::Title { title: text }
        | HarnessEvent::Notice { text } => text.len(),
        HarnessEvent::Call(call) => call_size(call),
        HarnessEvent::CallUpdate(update) => {
            let content = update.content.iter().flatten().map(content_size).sum::<usize>();
            update.id.len() + content + update.output.as_ref().map_or(0, String::len)
        }
        HarnessEvent::CallOutput { id, text } => id.len() + text.len(),
        HarnessEvent::Plan { entries } => entries.iter().map(entry_size).sum(),
        HarnessEvent::Commands { commands } => commands.iter().map(command_size).sum(),
        HarnessEvent::Other { name, json } => name.len() + json.len(),
    }
}

/// Bytes of a call as a user would have to read it.
pub(crate) fn call_size(call: &Call) -> usize {
    let locations = call.locations.iter().map(|l| l.path.len() + ENTRY_BYTES).sum::<usize>();
    call.id.len() + call.tool.len() + call.title.len() + call.input.len() + locations
}

fn content_size(content: &CallContent) -> usize {
    ENTRY_BYTES
        + match content {
            CallContent::Part(part) => part.size(),
            CallContent::Diff(diff) => {
                diff.path.len() + diff.new.len() + diff.old.as_ref().map_or(0, String::len)
            }
        }
}

fn entry_size(entry: &PlanEntry) -> usize {
    entry.text.len() + ENTRY_BYTES
}

fn command_size(command: &Command) -> usize {
    let hint = command.hint.as_ref().map_or(0, String::len);
    command.name.len() + command.description.len() + hint + ENTRY_BYTES
}

/// The event, or what is left of one over `EVENT_MAX_BYTES`: texts lose their end, lists their
/// last entries, and what cannot be cut in two (an image, JSON) is left out; each says so.
pub(crate) fn cut(event: HarnessEvent) -> HarnessEvent {
    if size(&event) <= EVENT_MAX_BYTES {
        return event;
    }
    let room = EVENT_MAX_BYTES - 8 * LABEL_MAX_BYTES;
    match event {
        HarnessEvent::Message { part } => HarnessEvent::Message { part: cut_part(part, room) },
        HarnessEvent::Thought { text } => HarnessEvent::Thought { text: cut_text(text, room) },
        HarnessEvent::Title { title } => HarnessEvent::Title { title: label(title) },
        HarnessEvent::Notice { text } => HarnessEvent::Notice { text: cut_text(text, room) },
        HarnessEvent::CallOutput { id, text } => {
            HarnessEvent::CallOutput { id: label(id), text: cut_text(text, room) }
        }
        HarnessEvent::Call(call) => HarnessEvent::Call(Call {
            id: label(call.id),
            tool: label(call.tool),
            title: format!("{} (its input was too large to show)", label(call.title)),
            input: "{}".into(),
            locations: Vec::new(),
            ..call
        }),
        HarnessEvent::CallUpdate(update) => {
            let cut = "[the content was too large to show]";
            HarnessEvent::CallUpdate(CallUpdate {
                id: label(update.id),
                content: Some(vec![CallContent::Part(Part::text(cut))]),
                output: None,
                ..update
            })
        }
        HarnessEvent::Plan { entries } => {
            let mut entries = fitting(entries, room, entry_size);
            if let Some(last) = entries.last_mut() {
                last.text = format!("{} {MARK}", label(std::mem::take(&mut last.text)));
            }
            HarnessEvent::Plan { entries }
        }
        HarnessEvent::Commands { commands } => {
            HarnessEvent::Commands { commands: fitting(commands, room, command_size) }
        }
        HarnessEvent::Other { name, .. } => {
            HarnessEvent::Notice { text: format!("`{}` was too large to show", label(name)) }
        }
    }
}

fn cut_part(part: Part, room: usize) -> Part {
    match part {
        Part::Text(text) => Part::Text(cut_text(text, room)),
        Part::Blob(Blob { mime, data }) => {
            let mime = label(mime);
            Part::text(format!("[{mime} of {} bytes was too large to show]", data.len()))
        }
        Part::Link(link) => Part::text(format!("[{}]", label(link.uri))),
    }
}

/// The first entries that fit.
fn fitting<T>(entries: Vec<T>, room: usize, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0usize;
    let fits = |entry: &T| {
        bytes = bytes.saturating_add(size(entry));
        bytes <= room
    };
    entries.into_iter().take_while(fits).collect()
}

fn label(text: String) -> String {
    cut_text(text, LABEL_MAX_BYTES)
}

/// The text in at most `room` bytes with the mark, cut between characters.
pub(crate) fn cut_text(mut text: String, room: usize) -> String {
    if text.len() > room {
        text.truncate(text.floor_char_boundary(room.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Link;
    use domain::event::{Diff, Kind, PlanStatus};

    #[test]
    fn what_is_too_large_is_cut_and_says_so() {
        let huge = || "ä".repeat(EVENT_MAX_BYTES);
        let call = Call {
            id: "1".into(),
            tool: "t".into(),
            kind: Kind::Edit,
            title: "edit".into(),
            input: huge(),
            locations: Vec::new(),
        };
        let diff = Diff { path: "a".into(), old: None, new: huge() };
        let update = CallUpdate {
            id: "1".into(),
            status: None,
            content: Some(vec![CallContent::Diff(diff)]),
            output: None,
        };
        let entry = |text: String| PlanEntry { text, status: PlanStatus::Pending };
        let plan = vec![entry("first".into()), entry(huge())];
        let command = Command { name: huge(), description: String::new(), hint: None };
        let blob = Blob { mime: "image/png".into(), data: vec![0; EVENT_MAX_BYTES] };
        let link = Link { uri: huge(), mime: None, title: None };
        for (event, says) in [
            (HarnessEvent::Message { part: Part::text(huge()) }, "[cut]"),
            (HarnessEvent::Message { part: Part::Blob(blob) }, "too large"),
            (HarnessEvent::Message { part: Part::Link(link) }, "[cut]"),
            (HarnessEvent::Thought { text: huge() }, "[cut]"),
            (HarnessEvent::Title { title: huge() }, "[cut]"),
            (HarnessEvent::Notice { text: huge() }, "[cut]"),
            (HarnessEvent::CallOutput { id: "1".into(), text: huge() }, "[cut]"),
            (HarnessEvent::Call(call), "too large"),
            (HarnessEvent::CallUpdate(update), "too large"),
            (HarnessEvent::Plan { entries: plan }, "first … [cut]"),
            (HarnessEvent::Commands { commands: vec![command] }, "[]"),
            (HarnessEvent::Other { name: "a.b".into(), json: huge() }, "too large"),
        ] {
            let left = cut(event);
            assert!(size(&left) <= EVENT_MAX_BYTES);
            let shown = format!("{left:?}");
            assert!(shown.contains(says), "{says}: {}", &shown[..200.min(shown.len())]);
        }
    }

    #[test]
    fn what_fits_stays() {
        let event = HarnessEvent::Thought { text: "x".repeat(EVENT_MAX_BYTES) };
        assert_eq!(cut(event.clone()), event);
    }
}
