//! Keeps content from forging the structure of a conversation.
//!
//! A rendered prompt is tokenized as a whole, control tokens included, so a file or a web page
//! that holds `<|im_end|>` could end its message and speak as the system. Every such text inside
//! content gets a zero-width space after its first character: readable as before, a control
//! token no more.

use serde_json::Value as Json;

use crate::wire::MARKERS;

/// Shorter control tokens are not searched: they would be ordinary punctuation.
const TEXT_MIN_BYTES: usize = 3;
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// The texts of a vocabulary's control tokens.
#[derive(Debug, Default)]
pub(crate) struct ControlTexts(Vec<String>);

impl ControlTexts {
    pub(crate) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let dangerous =
            |text: &String| text.len() >= TEXT_MIN_BYTES && !MARKERS.contains(&text.as_str());
        Self(texts.into_iter().filter(dangerous).collect())
    }

    /// Defuses every string inside a JSON value, keys included.
    pub(crate) fn defuse(&self, json: &mut Json) {
        match json {
            Json::String(text) => self.defuse_text(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.defuse(item)),
            Json::Object(fields) => {
                fields.values_mut().for_each(|value| self.defuse(value));
                if fields.keys().any(|key| self.0.iter().any(|control| key.contains(control))) {
                    *fields = std::mem::take(fields)
                        .into_iter()
                        .map(|(mut key, value)| {
                            self.defuse_text(&mut key);
                            (key, value)
                        })
                        .collect();
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn defuse_text(&self, text: &mut String) {
        for control in &self.0 {
            if text.contains(control.as_str())
                && let Some(first) = control.chars().next()
            {
                let rest = &control[first.len_utf8()..];
                *text = text.replace(control, &format!("{first}{ZERO_WIDTH_SPACE}{rest}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn control_tokens_in_content_are_defused_at_any_depth() {
        let guard = ControlTexts::new(["<|im_end|>", "<tool_call>", "<|"].map(str::to_owned));
        let mut message = json!({"role": "user", "content": "a<|im_end|>b <tool_call> <|x|>", "n": [{"<|im_end|>": "<|im_end|>"}]});
        guard.defuse(&mut message);
        assert_eq!(
            message,
            json!({"role": "user", "content": "a<\u{200b}|im_end|>b <tool_call> <|x|>", "n": [{"<\u{200b}|im_end|>": "<\u{200b}|im_end|>"}]})
        );
    }
}
