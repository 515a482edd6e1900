//! An answer put together, for clients that take no stream.

use domain::chat::{Delta, Outcome, Thinking, ToolCall};
use llm::{Completion, Item};

use crate::error::Refusal;

/// What a model said, in its parts. Thoughts come before the text, and calls after it.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    pub thoughts: Vec<Thinking>,
    pub text: String,
    pub calls: Vec<ToolCall>,
}

/// Reads a completion to its end. Dropping the future cancels the call.
pub(crate) async fn collect(completion: &Completion) -> Result<(Whole, Outcome), Refusal> {
    let mut whole = Whole::default();
    while let Some(item) = completion.next().await {
        match item {
            Item::Delta(delta) => whole.add(delta),
            Item::Finished(outcome) => return Ok((whole, outcome)),
            Item::Failed(error) => return Err(Refusal::Model(error)),
        }
    }
    Err(Refusal::Broken)
}

impl Whole {
    fn add(&mut self, delta: Delta) {
        match delta {
            Delta::Text(text) => self.text.push_str(&text),
            Delta::Thinking(text) => match self.thoughts.last_mut() {
                Some(thought) if thought.signature.is_none() => thought.text.push_str(&text),
                _ => self.thoughts.push(Thinking { text, signature: None }),
            },
            Delta::ThinkingSignature(signature) => match self.thoughts.last_mut() {
                Some(thought) if thought.signature.is_none() => thought.signature = Some(signature),
                _ => {
                    self.thoughts.push(Thinking { text: String::new(), signature: Some(signature) })
                }
            },
            Delta::ToolCallStart { id, name, .. } => {
                self.calls.push(ToolCall { id, name, arguments: String::new(), signature: None })
            }
            Delta::ToolCallArguments { index, fragment } => {
                if let Some(call) = self.call(index) {
                    call.arguments.push_str(&fragment);
                }
            }
            Delta::ToolCallSignature { index, signature } => {
                if let Some(call) = self.call(index) {
                    call.signature = Some(signature);
                }
            }
            Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_) => {}
        }
    }

    fn call(&mut self, index: u32) -> Option<&mut ToolCall> {
        self.calls.get_mut(usize::try_from(index).ok()?)
    }
}
