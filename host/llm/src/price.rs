//! Pricing: the most that a request can cost, known before it is sent.

use domain::chat::{AssistantPart, Message, Request};
use domain::provider::ModelInfo;
use domain::{Blob, Link, NanoDollars, Part, Price};
use serde_json::Value;

use crate::error::LlmError;
use crate::route::Route;

/// Tokens that a provider adds around each message and tool (roles, separators); the largest
/// documented overhead is below ten.
const FRAME_TOKENS: u64 = 16;
/// What a provider puts before the tools: the largest documented text is 530 tokens.
const TOOLS_PREAMBLE_TOKENS: u64 = 1_000;
/// An image of few bytes and many pixels: the largest documented count for one is below 3,800.
const IMAGE_TOKENS_MAX: u64 = 4_096;

/// The bounds of one request at one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    /// The dearest that the input can make it.
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
    let ModelInfo { name, max_output_tokens, price, tiers, .. } = &route.info;
    let price =
        price.ok_or_else(|| LlmError::UnknownPrice { model: name.clone(), fix: fix(name) })?;
    let output = request.max_output_tokens.unwrap_or(*max_output_tokens).min(*max_output_tokens);
    let input = input_bound(request);
    Ok(Quote { price: price.dearest(tiers, input), input, output: output.max(1) })
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
/// bytes, and not below what a provider bills for one that compresses well.
pub(crate) fn input_bound(request: &Request) -> u64 {
    let mut bound = FRAME_TOKENS;
    each_piece(request, &mut |piece| {
        let most = match piece {
            Piece::Text(text) | Piece::Signature(text) => text.len() as u64,
            Piece::Json(json) => json.to_string().len() as u64,
            Piece::Blob(blob) => {
                // Base64 is four thirds.
                let encoded = (blob.data.len() as u64).saturating_add(2) / 3 * 4;
                encoded.saturating_add(blob.mime.len() as u64).max(IMAGE_TOKENS_MAX)
            }
        };
        bound = bound.saturating_add(most);
    });
    let parts: usize = request.messages.iter().map(frames).sum();
    let frames = (parts.saturating_add(request.tools.len()) as u64).saturating_mul(FRAME_TOKENS);
    let preamble = if request.tools.is_empty() { 0 } else { TOOLS_PREAMBLE_TOKENS };
    bound.saturating_add(frames).saturating_add(preamble)
}

fn frames(message: &Message) -> usize {
    match message {
        Message::User(_) | Message::Tool(_) => 1,
        Message::Assistant(parts) => parts.len().saturating_add(1),
    }
}

/// Bytes of everything in a request that a model may read.
pub(crate) fn size(request: &Request) -> usize {
    let mut bytes = 0usize;
    each_piece(request, &mut |piece| {
        bytes = bytes.saturating_add(match piece {
            Piece::Text(text) | Piece::Signature(text) => text.len(),
            Piece::Json(json) => json.to_string().len(),
            Piece::Blob(blob) => blob.mime.len().saturating_add(blob.data.len()),
        });
    });
    bytes
}

/// One thing in a request that costs tokens.
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Json(&'a Value),
    Blob(&'a Blob),
    /// Opaque, given back to the provider that made it.
    Signature(&'a str),
}

/// Visits everything in a request that costs tokens, in order.
pub(crate) fn each_piece<'a>(request: &'a Request, visit: &mut dyn FnMut(Piece<'a>)) {
    if let Some(system) = &request.system {
        visit(Piece::Text(system));
    }
    if let Some(schema) = &request.output_schema {
        visit(Piece::Json(schema));
    }
    for tool in &request.tools {
        visit(Piece::Text(&tool.name));
        visit(Piece::Text(&tool.description));
        visit(Piece::Json(&tool.parameters));
    }
    for message in &request.messages {
        match message {
            Message::User(parts) => parts.iter().for_each(|part| each_of_part(part, visit)),
            Message::Tool(result) => {
                visit(Piece::Text(&result.call_id));
                result.content.iter().for_each(|part| each_of_part(part, visit));
            }
            Message::Assistant(parts) => {
                parts.iter().for_each(|part| each_of_answer(part, visit));
            }
        }
    }
}

pub(crate) fn each_of_part<'a>(part: &'a Part, visit: &mut dyn FnMut(Piece<'a>)) {
    match part {
        Part::Text(text) => visit(Piece::Text(text)),
        Part::Blob(blob) => visit(Piece::Blob(blob)),
        Part::Link(Link { uri, mime, title }) => {
            let optional = [mime, title].into_iter().flatten();
            std::iter::once(uri).chain(optional).for_each(|text| visit(Piece::Text(text)));
        }
    }
}

pub(crate) fn each_of_answer<'a>(part: &'a AssistantPart, visit: &mut dyn FnMut(Piece<'a>)) {
    let signature = match part {
        AssistantPart::Text(text) => {
            visit(Piece::Text(text));
            &None
        }
        AssistantPart::Thinking(thinking) => {
            visit(Piece::Text(&thinking.text));
            &thinking.signature
        }
        AssistantPart::ToolCall(call) => {
            let texts = [&call.id, &call.name, &call.arguments];
            texts.into_iter().for_each(|text| visit(Piece::Text(text)));
            &call.signature
        }
    };
    if let Some(signature) = signature {
        visit(Piece::Signature(signature));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::{Thinking, Tool, ToolCall};

    fn bound_of(messages: Vec<Message>) -> u64 {
        input_bound(&Request { messages, ..Request::default() })
    }

    #[test]
    fn the_bound_counts_every_byte() {
        let none = bound_of(Vec::new());
        let blob = |bytes| Part::Blob(Blob { mime: "image/png".into(), data: vec![0; bytes] });
        let thinking = Thinking { text: "t".repeat(10), signature: Some("s".repeat(1_000)) };
        let call = ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: "a".repeat(500),
            signature: Some("s".repeat(1_000)),
        };
        for (message, least) in [
            (Message::User(vec![Part::text("ä".repeat(100))]), 200),
            (Message::User(vec![blob(30_000)]), 40_000),
            // Few bytes are not few pixels.
            (Message::User(vec![blob(67)]), IMAGE_TOKENS_MAX),
            (Message::Assistant(vec![AssistantPart::Thinking(thinking)]), 1_010),
            (Message::Assistant(vec![AssistantPart::ToolCall(call)]), 1_502),
        ] {
            assert!(bound_of(vec![message.clone()]) >= none + least, "{message:?}");
        }
    }

    #[test]
    fn tools_and_schemas_count() {
        let schema = serde_json::json!({"type": "object"});
        let plain = input_bound(&Request::default());
        let with_schema = Request { output_schema: Some(schema.clone()), ..Request::default() };
        assert_eq!(input_bound(&with_schema), plain + 17);
        let tool = Tool { name: "f".into(), description: "d".into(), parameters: schema };
        let with_tool = Request { tools: vec![tool], ..Request::default() };
        assert_eq!(input_bound(&with_tool), plain + 19 + FRAME_TOKENS + TOOLS_PREAMBLE_TOKENS,);
    }
}
