//! Puts tool calls together: servers send them in fragments, by index, with the id and the name
//! somewhere, or as a whole, or without an id, or every one under index 0.

use std::collections::HashSet;

use domain::chat::Delta;
use serde_json::Value;

use super::chunk::CallFragment;
use crate::endpoint::unique_id;

/// Calls in one answer: models make a few at once, a server that sends more is broken.
const CALLS_MAX: usize = 128;
/// Arguments that wait for their call's name, which belongs into the first fragment.
const HELD_ARGUMENTS_MAX_BYTES: usize = 64 << 10;
/// Signatures of calls are a few KiB.
const SIGNATURE_MAX_BYTES: usize = 64 << 10;
/// Names of tools have at most 64 characters; ids are not much longer.
const NAME_MAX_BYTES: usize = 256;

/// The calls of one answer so far.
#[derive(Debug)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// Ids that the conversation already has; a server that counts from 0 each time repeats them.
    taken: HashSet<String>,
    started: u32,
}

#[derive(Debug, Default)]
struct Call {
    /// As the server numbers it.
    wire_index: Option<u32>,
    wire_id: Option<String>,
    /// Our number, from the moment that the name is known.
    index: Option<u32>,
    held: String,
    held_signature: Option<String>,
}

impl Calls {
    pub fn new(taken: HashSet<String>) -> Self {
        Self { calls: Vec::new(), taken, started: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes a fragment and gives what can be told of it. The error says what is wrong with it.
    pub fn take(&mut self, fragment: CallFragment) -> Result<Vec<Delta>, String> {
        let signature = fragment.signature().map(str::to_owned);
        if signature.as_ref().is_some_and(|text| text.len() > SIGNATURE_MAX_BYTES) {
            return Err(format!(
                "a tool call's signature is longer than {SIGNATURE_MAX_BYTES} bytes"
            ));
        }
        let function = fragment.function.unwrap_or_default();
        let id = fragment.id.filter(|id| !id.is_empty());
        let name = function.name.filter(|name| !name.is_empty());
        let too_long =
            |text: &Option<String>| text.as_ref().is_some_and(|t| t.len() > NAME_MAX_BYTES);
        if too_long(&id) || too_long(&name) {
            return Err(format!("a tool call's id or name is longer than {NAME_MAX_BYTES} bytes"));
        }
        let arguments = match function.arguments {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };

        let at = match self.position(fragment.index, id.as_deref(), name.as_deref()) {
            Some(at) => at,
            None if self.calls.len() == CALLS_MAX => {
                return Err(format!("more than {CALLS_MAX} tool calls in one answer"));
            }
            None => {
                self.calls.push(Call { wire_index: fragment.index, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(at) else { return Ok(Vec::new()) };
        call.wire_id = call.wire_id.take().or(id);
        call.held_signature = call.held_signature.take().or(signature);

        let mut deltas = Vec::new();
        let index = match (call.index, name) {
            (Some(index), _) => index,
            (None, Some(name)) => {
                let index = self.started;
                self.started += 1;
                call.index = Some(index);
                let id = unique_id(call.wire_id.as_deref(), &mut self.taken);
                deltas.push(Delta::ToolCallStart { index, id, name });
                index
            }
            (None, None) => {
                if call.held.len() + arguments.len() > HELD_ARGUMENTS_MAX_BYTES {
                    return Err("a tool call's arguments came without its name".to_owned());
                }
                call.held.push_str(&arguments);
                return Ok(deltas);
            }
        };
        let fragment = std::mem::take(&mut call.held) + &arguments;
        if !fragment.is_empty() {
            deltas.push(Delta::ToolCallArguments { index, fragment });
        }
        if let Some(signature) = call.held_signature.take() {
            deltas.push(Delta::ToolCallSignature { index, signature });
        }
        Ok(deltas)
    }

    /// Every call must have been named when the answer ends.
    pub fn finish(&self) -> Result<(), String> {
        match self.calls.iter().all(|call| call.index.is_some()) {
            true => Ok(()),
            false => Err("a tool call came without a name".to_owned()),
        }
    }

    /// Which call a fragment goes on with; `None` for a new one.
    fn position(&self, index: Option<u32>, id: Option<&str>, name: Option<&str>) -> Option<usize> {
        let at = match index {
            Some(_) => self.calls.iter().rposition(|call| call.wire_index == index)?,
            None => self.calls.len().checked_sub(1)?,
        };
        let call = self.calls.get(at)?;
        let is_new = match (id, call.wire_id.as_deref()) {
            // Another id is another call, also under an index that was already used.
            (Some(id), Some(known)) => id != known,
            (Some(_), None) => index.is_none() && call.index.is_some(),
            // Without index and id only a name tells a new call from more of the last one.
            (None, _) => index.is_none() && name.is_some() && call.index.is_some(),
        };
        (!is_new).then_some(at)
    }
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
