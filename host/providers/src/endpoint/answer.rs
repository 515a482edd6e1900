//! What every answer is held to: its length, its model's name, ids of calls that are its own.

use std::collections::HashSet;

use domain::chat::{AssistantPart, Message};
use uuid::Uuid;

/// No vocabulary has longer tokens than 128 bytes; twice that, so that a server which counts its
/// own way is not cut, but one that never stops is.
pub(crate) const TOKEN_MAX_BYTES: usize = 256;
/// Names and ids are short; a longer one is not worth telling.
const NAME_MAX_BYTES: usize = 256;

/// Whether a server's word for a model, a tool or a call can be one.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && !name.chars().any(char::is_control)
}

/// Ids of the calls that the conversation already has.
pub(crate) fn call_ids(history: &[Message]) -> HashSet<String> {
    let parts = history.iter().flat_map(|message| match message {
        Message::Assistant(parts) => parts.as_slice(),
        Message::User(_) | Message::Tool(_) => &[],
    });
    parts
        .filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call.id.clone()),
            AssistantPart::Text(_) | AssistantPart::Thinking(_) => None,
        })
        .collect()
}

/// The server's id if the conversation does not have it yet, a minted one otherwise.
pub(crate) fn unique_id(wire: Option<&str>, taken: &mut HashSet<String>) -> String {
    let id = match wire {
        Some(id) if !taken.contains(id) => id.to_owned(),
        // 37 characters: servers refuse ids longer than 40.
        _ => format!("call_{}", Uuid::now_v7().simple()),
    };
    taken.insert(id.clone());
    id
}
