//! One answer of a model, put together from its events.

use crate::xpressclaw::llm::types::{AssistantPart, Event, Message, Outcome, Thinking, ToolCall};

/// The parts that have arrived, in their order.
#[derive(Default)]
pub struct Answer {
    parts: Vec<AssistantPart>,
    /// The provider's index of each call, and where the call is in `parts`.
    calls: Vec<(u32, usize)>,
    /// Whether the next thought belongs to the last part.
    thinking: bool,
}

impl Answer {
    /// Adds an event; the last one holds how it ended.
    pub fn take(&mut self, event: Event) -> Option<Outcome> {
        match event {
            Event::Thinking(piece) => self.think(|thought| thought.text.push_str(&piece)),
            Event::ThinkingSignature(signature) => {
                self.think(|thought| thought.signature = Some(signature));
                self.thinking = false;
            }
            Event::Text(piece) => {
                self.thinking = false;
                match self.parts.last_mut() {
                    Some(AssistantPart::Text(text)) => text.push_str(&piece),
                    _ => self.parts.push(AssistantPart::Text(piece)),
                }
            }
            Event::ToolCallStart(start) => {
                self.thinking = false;
                self.calls.push((start.index, self.parts.len()));
                self.parts.push(AssistantPart::ToolCall(ToolCall {
                    id: start.id,
                    name: start.name,
                    arguments: String::new(),
                    signature: None,
                }));
            }
            Event::ToolCallArguments(piece) => {
                if let Some(call) = self.call(piece.index) {
                    call.arguments.push_str(&piece.fragment);
                }
            }
            Event::ToolCallSignature(signed) => {
                if let Some(call) = self.call(signed.index) {
                    call.signature = Some(signed.signature);
                }
            }
            Event::Finished(outcome) => return Some(outcome),
        }
        None
    }

    /// The calls, in the order of their beginnings.
    pub fn calls(&self) -> Vec<ToolCall> {
        let call = |part: &AssistantPart| match part {
            AssistantPart::ToolCall(call) => Some(call.clone()),
            _ => None,
        };
        self.parts.iter().filter_map(call).collect()
    }

    /// As a part of the history; `None` when nothing was said. Arguments that are no JSON object
    /// are left out: providers refuse a history with them, and the call's result says what was
    /// wrong.
    pub fn message(mut self) -> Option<Message> {
        for part in &mut self.parts {
            if let AssistantPart::ToolCall(call) = part
                && !is_object(&call.arguments)
            {
                call.arguments = "{}".to_owned();
            }
        }
        (!self.parts.is_empty()).then_some(Message::Assistant(self.parts))
    }

    /// An answer that broke off: its text alone. Half a thought has no signature, and a call whose
    /// end is missing must not be run.
    pub fn said(mut self) -> Option<Message> {
        self.parts.retain(|part| matches!(part, AssistantPart::Text(_)));
        self.message()
    }

    fn think(&mut self, add: impl FnOnce(&mut Thinking)) {
        if !self.thinking {
            self.thinking = true;
            let empty = Thinking { text: String::new(), signature: None };
            self.parts.push(AssistantPart::Thinking(empty));
        }
        if let Some(AssistantPart::Thinking(thinking)) = self.parts.last_mut() {
            add(thinking);
        }
    }

    fn call(&mut self, index: u32) -> Option<&mut ToolCall> {
        let (_, at) = self.calls.iter().rev().find(|(known, _)| *known == index)?;
        match self.parts.get_mut(*at) {
            Some(AssistantPart::ToolCall(call)) => Some(call),
            _ => None,
        }
    }
}

fn is_object(arguments: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(arguments).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xpressclaw::llm::types::{ToolCallArguments, ToolCallSignature, ToolCallStart};

    fn begun(index: u32, id: &str) -> Event {
        Event::ToolCallStart(ToolCallStart { index, id: id.into(), name: "read".into() })
    }

    fn piece(index: u32, fragment: &str) -> Event {
        Event::ToolCallArguments(ToolCallArguments { index, fragment: fragment.into() })
    }

    fn answer(events: Vec<Event>) -> Answer {
        let mut answer = Answer::default();
        for event in events {
            assert!(answer.take(event).is_none());
        }
        answer
    }

    #[test]
    fn parts_keep_their_order_and_their_signatures() {
        let answer = answer(vec![
            Event::Thinking("a ".into()),
            Event::Thinking("file".into()),
            Event::ThinkingSignature("s1".into()),
            Event::Thinking("more".into()),
            Event::Text("I ".into()),
            Event::Text("read.".into()),
            begun(0, "a"),
            begun(1, "b"),
            piece(1, "{\"path\":"),
            piece(0, "{}"),
            piece(1, "\"b\"}"),
            Event::ToolCallSignature(ToolCallSignature { index: 1, signature: "s2".into() }),
        ]);
        assert_eq!(answer.calls().len(), 2);
        assert_eq!(answer.calls()[1].arguments, r#"{"path":"b"}"#);
        let Some(Message::Assistant(parts)) = answer.message() else { panic!("no message") };
        let shown: Vec<String> = parts
            .iter()
            .map(|part| match part {
                AssistantPart::Text(text) => text.clone(),
                AssistantPart::Thinking(t) => format!("{}/{:?}", t.text, t.signature),
                AssistantPart::ToolCall(c) => format!("{}{}{:?}", c.id, c.arguments, c.signature),
            })
            .collect();
        assert_eq!(
            shown,
            [
                r#"a file/Some("s1")"#,
                "more/None",
                "I read.",
                "a{}None",
                r#"b{"path":"b"}Some("s2")"#,
            ]
        );
    }

    #[test]
    fn arguments_that_are_no_object_do_not_go_back() {
        for wrong in ["", "{\"path\":", "[]", "3"] {
            let answer = answer(vec![begun(0, "a"), piece(0, wrong)]);
            assert_eq!(answer.calls()[0].arguments, wrong);
            let Some(Message::Assistant(parts)) = answer.message() else { panic!("no message") };
            let AssistantPart::ToolCall(call) = &parts[0] else { panic!("no call") };
            assert_eq!(call.arguments, "{}", "{wrong}");
        }
    }

    #[test]
    fn of_a_broken_answer_the_text_stays() {
        let events = vec![Event::Thinking("hm".into()), Event::Text("So".into()), begun(0, "a")];
        let Some(Message::Assistant(parts)) = answer(events).said() else { panic!("no message") };
        assert!(matches!(&parts[..], [AssistantPart::Text(text)] if text == "So"));
        assert!(answer(vec![begun(0, "a")]).said().is_none());
        assert!(answer(vec![]).message().is_none());
    }
}
