//! Making a history shorter, without a model: which results go, where the recent part begins, and
//! the older part as text for a summary.

use crate::tokens;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::types::{AssistantPart, Message};

/// What stands for a result that was dropped.
const DROPPED: &str = "[output dropped to make room; run the tool again if it is needed]";
/// Of a text inside a summary's source: enough to tell what it was.
const EXCERPT_CHARACTERS: usize = 1_000;

/// Which results may go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// Those that the model has seen and answered.
    Answered,
    All,
}

/// Replaces the oldest tool results until `messages` take at most `target` tokens. Says how many.
pub fn drop_results(messages: &mut [Message], target: u64, which: Results) -> usize {
    let asked = messages.iter().rposition(|m| matches!(m, Message::Assistant(_))).unwrap_or(0);
    let end = if which == Results::All { messages.len() } else { asked };
    let mut sum = tokens::of_all(messages);
    let mut dropped = 0;
    for message in &mut messages[..end] {
        if sum <= target {
            break;
        }
        let before = tokens::of_message(message);
        if let Message::Tool(result) = message
            && !is_dropped(&result.content)
        {
            result.content = vec![Part::Text(DROPPED.to_owned())];
            let after = tokens::of_message(message);
            sum = (sum + after).saturating_sub(before);
            dropped += 1;
        }
    }
    dropped
}

fn is_dropped(content: &[Part]) -> bool {
    matches!(content, [Part::Text(text)] if text == DROPPED)
}

/// Where the part begins that is kept as it is: at most `recent` tokens, but at least the last
/// message of the user or answer with its results. Never between a call and its results.
pub fn recent(messages: &[Message], recent: u64) -> usize {
    let mut sum = 0;
    let mut begin = messages.len();
    for (index, message) in messages.iter().enumerate().rev() {
        sum += tokens::of_message(message);
        if sum > recent && begin < messages.len() {
            break;
        }
        if !matches!(message, Message::Tool(_)) {
            begin = index;
        }
    }
    begin
}

/// Older messages as the source of a summary, at most `most` bytes; of more the newest.
pub fn transcript(messages: &[Message], most: usize) -> String {
    let mut text = String::new();
    for message in messages {
        match message {
            Message::User(parts) => line(&mut text, "User", &said(parts)),
            Message::Tool(result) => line(&mut text, "Result", &excerpt(&said(&result.content))),
            Message::Assistant(parts) => parts.iter().for_each(|part| match part {
                AssistantPart::Text(words) => line(&mut text, "Assistant", words),
                AssistantPart::ToolCall(call) => {
                    let call = format!("{} {}", call.name, excerpt(&call.arguments));
                    line(&mut text, "Call", &call);
                }
                AssistantPart::Thinking(_) => {}
            }),
        }
    }
    if text.len() > most {
        let cut = text.len() - most;
        let begin = (cut..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        text.replace_range(..begin, "[the beginning is left out]\n");
    }
    text
}

fn line(text: &mut String, who: &str, what: &str) {
    text.push_str(who);
    text.push_str(": ");
    text.push_str(what);
    text.push('\n');
}

fn said(parts: &[Part]) -> String {
    let words = parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Blob(blob) => format!("[{}]", blob.mime),
        Part::Link(link) => link.uri.clone(),
    });
    words.collect::<Vec<_>>().join("\n")
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xpressclaw::llm::types::{ToolCall, ToolResult};

    fn user(text: &str) -> Message {
        Message::User(vec![Part::Text(text.to_owned())])
    }

    fn call(id: &str) -> Message {
        let (name, arguments) = ("read".to_owned(), "{}".to_owned());
        let call = ToolCall { id: id.to_owned(), name, arguments, signature: None };
        Message::Assistant(vec![AssistantPart::ToolCall(call)])
    }

    fn result(id: &str, bytes: usize) -> Message {
        let content = vec![Part::Text("x".repeat(bytes))];
        Message::Tool(ToolResult { call_id: id.to_owned(), content, failed: false })
    }

    fn history() -> Vec<Message> {
        vec![
            user("one"),
            call("a"),
            result("a", 3_000),
            call("b"),
            result("b", 3_000),
            call("c"),
            result("c", 3_000),
        ]
    }

    #[test]
    fn the_oldest_results_go_first_and_unanswered_ones_stay() {
        for (target, expected) in [(10_000, 0), (2_500, 1), (1_500, 2), (0, 2)] {
            let mut messages = history();
            let drop = |messages: &mut Vec<_>| drop_results(messages, target, Results::Answered);
            assert_eq!(drop(&mut messages), expected, "{target}");
            assert_eq!(messages.len(), 7);
            assert_eq!(tokens::of_message(&messages[6]), tokens::of_message(&history()[6]));
            assert_eq!(drop(&mut messages), 0, "again, {target}");
        }
        assert_eq!(drop_results(&mut history(), 0, Results::All), 3);
    }

    #[test]
    fn the_recent_part_begins_at_no_result() {
        let messages = history();
        for (tokens, expected) in [(0, 5), (1_100, 5), (2_100, 3), (100_000, 0)] {
            assert_eq!(recent(&messages, tokens), expected, "{tokens}");
        }
        assert_eq!(recent(&[], 5), 0);
    }

    #[test]
    fn a_transcript_names_who_spoke_and_is_bounded() {
        let text = transcript(&history()[..3], 10_000);
        assert!(text.starts_with("User: one\nCall: read {}\nResult: xxx"), "{text}");
        assert!(text.len() < 1_200, "{}", text.len());
        let text = transcript(&history(), 100);
        assert!(text.starts_with("[the beginning is left out]\n"), "{text}");
        assert!(text.len() <= 130);
    }
}
