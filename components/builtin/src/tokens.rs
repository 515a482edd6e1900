//! How many tokens a history takes, roughly. The provider counts; this decides when to shorten.

use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::types::{AssistantPart, Message, Request};

/// Bytes of one token: code and English are between 3 and 4, so this counts rather too many.
const BYTES_PER_TOKEN: u64 = 3;
/// Of one image: what the large providers take for one of a screen's size.
const IMAGE: u64 = 1_600;
/// What a message takes besides its content: its role and its limits.
const MESSAGE: u64 = 4;

/// Of a whole request.
pub fn of_request(request: &Request) -> u64 {
    let tools = request.tools.iter();
    let tools = tools.map(|t| t.name.len() + t.description.len() + t.parameters.len());
    let system = request.system.as_ref().map_or(0, String::len);
    of_bytes(tools.sum::<usize>() + system) + of_all(&request.messages)
}

/// Of several messages.
pub fn of_all(messages: &[Message]) -> u64 {
    messages.iter().map(of_message).sum()
}

/// Of one message.
pub fn of_message(message: &Message) -> u64 {
    MESSAGE
        + match message {
            Message::User(parts) => of_parts(parts),
            Message::Tool(result) => of_parts(&result.content),
            Message::Assistant(parts) => parts.iter().map(of_said).sum(),
        }
}

fn of_said(part: &AssistantPart) -> u64 {
    of_bytes(match part {
        AssistantPart::Text(text) => text.len(),
        AssistantPart::Thinking(thinking) => thinking.text.len(),
        AssistantPart::ToolCall(call) => call.name.len() + call.arguments.len(),
    })
}

fn of_parts(parts: &[Part]) -> u64 {
    parts.iter().map(of_part).sum()
}

fn of_part(part: &Part) -> u64 {
    match part {
        Part::Text(text) => of_bytes(text.len()),
        Part::Blob(_) => IMAGE,
        Part::Link(link) => of_bytes(link.uri.len()),
    }
}

fn of_bytes(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN)
}
