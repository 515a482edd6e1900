//! Spans of a harness's tool calls, from its own reports: `call` begins one, its last `call-update`
//! ends it. Whatever the harness runs by itself is known to the host in no other way.

use std::collections::HashMap;

use domain::HarnessEvent;
use domain::event::Status;
use tracing::Span;
use tracing::field::Empty;

/// Calls under way in one turn: more than any model asks for at once. Further ones get no span.
const CALLS_MAX: usize = 256;
/// Bytes of a tool's name or a call's id, which the guest chose.
const NAME_MAX_BYTES: usize = 64;

/// The calls under way.
#[derive(Default)]
pub(crate) struct Calls(HashMap<String, Span>);

impl Calls {
    /// Looks at what the guest reports. Costs nothing while nobody records spans.
    pub fn see(&mut self, event: &HarnessEvent) {
        match event {
            HarnessEvent::Call(call) if self.0.len() < CALLS_MAX => {
                let tool = short(&call.tool);
                let span = tracing::debug_span!(
                    "tool",
                    otel.name = %format_args!("execute_tool {tool}"),
                    otel.status_code = Empty,
                    error.r#type = Empty,
                    gen_ai.operation.name = "execute_tool",
                    gen_ai.tool.name = tool,
                    gen_ai.tool.r#type = "function",
                    gen_ai.tool.call.id = short(&call.id),
                );
                if !span.is_disabled() {
                    self.0.insert(call.id.clone(), span);
                }
            }
            HarnessEvent::CallUpdate(update) => {
                let error = match update.status {
                    Some(Status::Completed) => None,
                    Some(Status::Failed) => Some("failed"),
                    Some(Status::Denied) => Some("denied"),
                    Some(Status::Pending | Status::InProgress) | None => return,
                };
                let Some(span) = self.0.remove(&update.id) else { return };
                if let Some(error) = error {
                    span.record("error.type", error);
                    span.record("otel.status_code", "ERROR");
                }
            }
            _ => {}
        }
    }

    /// The turn is over: what the guest did not finish ends with it.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(NAME_MAX_BYTES)]
}
