//! The conversation as a request.

use crate::settings::Settings;
use crate::tokens;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::models::Model;
use crate::xpressclaw::llm::types::{Message, Request, Tool, ToolChoice};

/// With less room than this an answer is of no use: the model shall refuse, so that the history is
/// shortened.
const LEAST_OUTPUT: u64 = 256;
/// The share of the window that an estimate may be wrong by.
const SAFETY_SHARE: u64 = 16;

/// What the requests of a turn have in common.
pub struct Form {
    pub model: Option<Model>,
    pub settings: Settings,
    pub system: String,
    pub tools: Vec<Tool>,
}

impl Form {
    /// A request with this history.
    pub fn request(&self, messages: &[Message]) -> Request {
        let images = self.model.as_ref().is_none_or(|model| model.images);
        let mut request = Request {
            model: None, // the agent's own
            system: Some(self.system.clone()),
            messages: joined(messages, images),
            tools: self.tools.clone(),
            tool_choice: if self.tools.is_empty() { ToolChoice::None } else { ToolChoice::Auto },
            max_output_tokens: None,
            temperature: None,
            effort: self.settings.effort,
            output_schema: None,
            stop: Vec::new(),
            extra: None,
        };
        request.max_output_tokens = self.output_limit(&request);
        request
    }

    /// The longest answer that fits beside the request, where the model's window is known.
    fn output_limit(&self, request: &Request) -> Option<u32> {
        let model = self.model.as_ref().filter(|model| model.context_window > 0)?;
        let window = u64::from(model.context_window);
        let room = window.saturating_sub(tokens::of_request(request) + window / SAFETY_SHARE);
        let limit = room.max(LEAST_OUTPUT).min(model.max_output_tokens.into());
        u32::try_from(limit).ok()
    }
}

/// Messages as providers take them: what the user said in several messages is one, and images are
/// named to a model that sees none.
fn joined(messages: &[Message], images: bool) -> Vec<Message> {
    let mut joined: Vec<Message> = Vec::new();
    for message in messages {
        let message = if images { message.clone() } else { without_images(message) };
        match (joined.last_mut(), message) {
            (Some(Message::User(before)), Message::User(parts)) => before.extend(parts),
            (_, message) => joined.push(message),
        }
    }
    joined
}

fn without_images(message: &Message) -> Message {
    let seen = |parts: &[Part]| parts.iter().map(named).collect();
    match message {
        Message::User(parts) => Message::User(seen(parts)),
        Message::Tool(result) => {
            let mut result = result.clone();
            result.content = seen(&result.content);
            Message::Tool(result)
        }
        Message::Assistant(_) => message.clone(),
    }
}

fn named(part: &Part) -> Part {
    match part {
        Part::Blob(blob) => {
            let (mime, size) = (&blob.mime, blob.data.len());
            Part::Text(format!("[{mime} of {size} bytes; this model takes no images]"))
        }
        _ => part.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xpressclaw::base::content::Blob;
    use crate::xpressclaw::llm::types::{AssistantPart, ToolResult};

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn what_the_user_said_in_a_row_is_one_message() {
        let messages = [
            Message::User(vec![text("a")]),
            Message::User(vec![text("b")]),
            Message::Assistant(vec![AssistantPart::Text("c".into())]),
            Message::User(vec![text("d")]),
        ];
        let joined = joined(&messages, true);
        assert_eq!(joined.len(), 3);
        assert!(matches!(&joined[0], Message::User(parts) if parts.len() == 2));
    }

    #[test]
    fn a_model_that_sees_no_images_gets_their_names() {
        let image = || Part::Blob(Blob { mime: "image/png".into(), data: vec![0; 9] });
        let result = ToolResult { call_id: "1".into(), content: vec![image()], failed: false };
        let messages = [Message::User(vec![text("see"), image()]), Message::Tool(result)];
        let blind = joined(&messages, false);
        let Message::User(parts) = &blind[0] else { panic!("no user") };
        assert!(matches!(&parts[1], Part::Text(t) if t.contains("image/png of 9 bytes")));
        let Message::Tool(result) = &blind[1] else { panic!("no result") };
        assert!(matches!(result.content[0], Part::Text(_)));
        let seeing = joined(&messages, true);
        assert!(matches!(&seeing[0], Message::User(parts) if matches!(parts[1], Part::Blob(_))));
    }
}
