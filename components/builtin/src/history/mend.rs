//! What a kill leaves half done: calls without results. Providers refuse such a history.

use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::types::{AssistantPart, Message, ToolResult};

const INTERRUPTED: &str = "interrupted: it is not known how far this call came";

/// Gives every call its one result, in the order of the calls. Says whether anything was missing.
pub fn mend(messages: Vec<Message>) -> (Vec<Message>, bool) {
    let mut mended = Vec::with_capacity(messages.len());
    let mut open: Vec<String> = Vec::new();
    let mut changed = false;
    for message in messages {
        if let Message::Tool(result) = &message {
            match open.iter().position(|id| *id == result.call_id) {
                Some(at) => {
                    open.remove(at);
                    mended.push(message);
                }
                None => changed = true, // an answer to nothing
            }
            continue;
        }
        changed |= !open.is_empty();
        mended.extend(open.drain(..).map(interrupted));
        if let Message::Assistant(parts) = &message {
            open.extend(parts.iter().filter_map(|part| match part {
                AssistantPart::ToolCall(call) => Some(call.id.clone()),
                _ => None,
            }));
        }
        mended.push(message);
    }
    changed |= !open.is_empty();
    mended.extend(open.into_iter().map(interrupted));
    (mended, changed)
}

fn interrupted(call_id: String) -> Message {
    let content = vec![Part::Text(INTERRUPTED.to_owned())];
    Message::Tool(ToolResult { call_id, content, failed: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xpressclaw::llm::types::ToolCall;

    fn calls(ids: &[&str]) -> Message {
        let call = |id: &&str| {
            AssistantPart::ToolCall(ToolCall {
                id: (*id).to_owned(),
                name: "read".to_owned(),
                arguments: "{}".to_owned(),
                signature: None,
            })
        };
        Message::Assistant(ids.iter().map(call).collect())
    }

    fn result(id: &str) -> Message {
        let content = vec![Part::Text("done".to_owned())];
        Message::Tool(ToolResult { call_id: id.to_owned(), content, failed: false })
    }

    fn shape(messages: &[Message]) -> String {
        let one = |message: &Message| match message {
            Message::User(_) => "u".to_owned(),
            Message::Assistant(_) => "a".to_owned(),
            Message::Tool(result) if result.failed => format!("!{}", result.call_id),
            Message::Tool(result) => result.call_id.clone(),
        };
        messages.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn check(messages: Vec<Message>, expected: &str, changed: bool) {
        let (mended, did) = mend(messages);
        assert_eq!((shape(&mended).as_str(), did), (expected, changed));
    }

    #[test]
    fn every_call_has_one_result() {
        let user = || Message::User(Vec::new());
        check(vec![], "", false);
        check(vec![user(), calls(&["1", "2"]), result("1"), result("2")], "u a 1 2", false);
        check(vec![user(), calls(&["1", "2"]), result("1")], "u a 1 !2", true);
        check(vec![user(), calls(&["1"]), user()], "u a !1 u", true);
        check(vec![user(), result("9"), calls(&["1"]), result("1"), result("1")], "u a 1", true);
    }
}
