//! Pricing: the most that a request can cost, known before it is sent.

use domain::chat::{AssistantPart, Message, Request};
use domain::content::Part;
use domain::provider::ModelInfo;
use domain::{NanoDollars, Price};

use crate::error::LlmError;
use crate::route::Route;

/// Tokens that a provider adds around each message and tool (roles, separators); the largest
/// documented overhead is below ten.
const FRAME_TOKENS: u64 = 16;

/// The bounds of one request at one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub price: Price,
    /// Tokens that the input cannot exceed.
    pub input: u64,
    /// Tokens that the answer may have.
    pub output: u32,
}

impl Quote {
    pub fn worst_case(&self) -> NanoDollars {
        self.price.worst_case(self.input, self.output.into())
    }
}

/// Prices a request at the model it is routed to.
pub(crate) fn quote(request: &Request, route: &Route) -> Result<Quote, LlmError> {
    let ModelInfo { name, max_output_tokens, price, .. } = &route.info;
    let price =
        price.ok_or_else(|| LlmError::UnknownPrice { model: name.clone(), fix: fix(name) })?;
    let output = request.max_output_tokens.unwrap_or(*max_output_tokens).min(*max_output_tokens);
    Ok(Quote { price, input: input_bound(request), output: output.max(1) })
}

/// The configuration line that prices a model.
fn fix(name: &str) -> String {
    match name.split_once('/') {
        Some((provider, model)) => format!(
            "add to xpressclaw.yaml (dollars per million tokens): providers: {{{provider}: {{models: {{{model}: {{price: {{input: \"$…\", output: \"$…\"}}}}}}}}}}"
        ),
        None => "give it a price in xpressclaw.yaml".into(),
    }
}

/// Upper bound of a request's input tokens. A byte-level tokenizer never makes more tokens than
/// there are bytes, so bytes bound the text of any script; images are counted by their encoded
/// bytes, which is far above what any provider bills for them.
pub(crate) fn input_bound(request: &Request) -> u64 {
    let mut bytes = 0usize;
    let mut frames = 1u64;
    let mut add = |n: usize| bytes = bytes.saturating_add(n);
    add(request.system.as_ref().map_or(0, String::len));
    add(request.output_schema.as_ref().map_or(0, |schema| schema.to_string().len()));
    for tool in &request.tools {
        add(tool.name.len() + tool.description.len() + tool.parameters.to_string().len());
        frames += 1;
    }
    for message in &request.messages {
        frames += 1;
        match message {
            Message::User(parts) => parts.iter().for_each(|part| add(encoded(part))),
            Message::Tool(result) => {
                add(result.call_id.len());
                result.content.iter().for_each(|part| add(encoded(part)));
            }
            Message::Assistant(parts) => {
                for part in parts {
                    frames += 1;
                    match part {
                        AssistantPart::Text(text) => add(text.len()),
                        AssistantPart::Thinking(t) => {
                            add(t.text.len() + t.signature.as_ref().map_or(0, String::len));
                        }
                        AssistantPart::ToolCall(c) => {
                            add(c.id.len() + c.name.len() + c.arguments.len());
                        }
                    }
                }
            }
        }
    }
    (bytes as u64).saturating_add(frames.saturating_mul(FRAME_TOKENS))
}

/// Bytes of a part on the wire; base64 is four thirds.
fn encoded(part: &Part) -> usize {
    match part {
        Part::Blob(blob) => blob.mime.len() + blob.data.len().saturating_add(2) / 3 * 4,
        part => part.size(),
    }
}

/// Everything of a request that is text, for counting when a provider is silent about usage.
pub(crate) fn text_of(request: &Request) -> String {
    let mut text = request.system.clone().unwrap_or_default();
    for tool in &request.tools {
        text.push_str(&tool.name);
        text.push_str(&tool.description);
        text.push_str(&tool.parameters.to_string());
    }
    for message in &request.messages {
        match message {
            Message::User(parts) => text.push_str(&domain::content::plain_text(parts)),
            Message::Tool(result) => text.push_str(&domain::content::plain_text(&result.content)),
            Message::Assistant(parts) => {
                for part in parts {
                    match part {
                        AssistantPart::Text(t) => text.push_str(t),
                        AssistantPart::Thinking(t) => text.push_str(&t.text),
                        AssistantPart::ToolCall(c) => {
                            text.push_str(&c.name);
                            text.push_str(&c.arguments);
                        }
                    }
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Blob;

    #[test]
    fn the_bound_counts_every_byte() {
        let text = "ä".repeat(100);
        let mut request =
            Request { messages: vec![Message::User(vec![Part::text(text)])], ..Request::default() };
        assert!(input_bound(&request) >= 200);
        let before = input_bound(&request);
        request.messages.push(Message::User(vec![Part::Blob(Blob {
            mime: "image/png".into(),
            data: vec![0; 3_000],
        })]));
        assert!(input_bound(&request) >= before + 4_000);
    }
}
