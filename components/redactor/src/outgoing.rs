//! One request on its way to the model: every text in it that a model may read.

use serde_json::Value;

use crate::find::Finder;
use crate::vault::Vault;
use crate::xpressclaw::base::content::{Blob, Part};
use crate::xpressclaw::llm::types::{AssistantPart, Message, Request};

/// Names of models and tools, ids and signatures stay: they are no texts, and both sides compare
/// them. Of blobs only text is read; what an image shows is not seen.
pub fn redact(request: &mut Request, finder: &Finder, vault: &mut Vault) {
    let mut hand = Hand { finder, vault };
    let Request { system, messages, tools, output_schema, stop, extra, .. } = request;
    system.iter_mut().for_each(|text| hand.text(text));
    for tool in tools {
        hand.text(&mut tool.description);
        hand.json(&mut tool.parameters);
    }
    for message in messages {
        match message {
            Message::User(parts) => hand.parts(parts),
            Message::Tool(result) => hand.parts(&mut result.content),
            Message::Assistant(parts) => parts.iter_mut().for_each(|part| match part {
                AssistantPart::Text(text) => hand.text(text),
                AssistantPart::Thinking(thinking) => hand.text(&mut thinking.text),
                AssistantPart::ToolCall(call) => hand.json(&mut call.arguments),
            }),
        }
    }
    output_schema.iter_mut().chain(extra).for_each(|json| hand.json(json));
    stop.iter_mut().for_each(|text| hand.text(text));
}

struct Hand<'a> {
    finder: &'a Finder,
    vault: &'a mut Vault,
}

impl Hand<'_> {
    fn text(&mut self, text: &mut String) {
        if let Some(redacted) = self.vault.redact(text, self.finder) {
            *text = redacted;
        }
    }

    fn parts(&mut self, parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Text(text) => self.text(text),
                Part::Link(link) => {
                    self.text(&mut link.uri);
                    link.title.iter_mut().for_each(|title| self.text(title));
                }
                Part::Blob(blob) => self.blob(blob),
            }
        }
    }

    fn blob(&mut self, blob: &mut Blob) {
        let Ok(text) = std::str::from_utf8(&blob.data) else { return };
        if let Some(redacted) = self.vault.redact(text, self.finder) {
            blob.data = redacted.into_bytes();
        }
    }

    /// Strings in JSON are looked at as what they say, so that an original is found however it was
    /// escaped. What is no JSON (a call that the model wrote badly) is looked at as it stands.
    fn json(&mut self, text: &mut String) {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return self.text(text) };
        if self.value(&mut value, None) {
            *text = value.to_string();
        }
    }

    /// Whether something was replaced. `name` is the key that a value stands under: it tells a
    /// password that looks like nothing by itself.
    fn value(&mut self, value: &mut Value, name: Option<&str>) -> bool {
        match value {
            Value::String(text) => self.string(text, name),
            Value::Array(items) => {
                items.iter_mut().fold(false, |any, item| self.value(item, name) | any)
            }
            Value::Object(map) => {
                map.iter_mut().fold(false, |any, (name, item)| self.value(item, Some(name)) | any)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn string(&mut self, text: &mut String, name: Option<&str>) -> bool {
        if let Some(name) = name {
            // Only to learn it: the string alone is what is replaced below.
            let assigned = format!("{name}={text}");
            self.vault.redact(&assigned, self.finder);
        }
        match self.vault.redact(text, self.finder) {
            Some(redacted) => {
                *text = redacted;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;
