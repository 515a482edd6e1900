//! Scripts of tool calls, and what came of each call.

use serde_json::{Value, json};

use crate::Done;

/// A turn of the model that calls one tool.
pub fn call(name: &str, arguments: &Value) -> Value {
    json!({"tool_calls": [{"name": name, "arguments": arguments}]})
}

/// A turn of the model that runs a command.
pub fn bash(command: &str) -> Value {
    call("bash", &json!({"command": command}))
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The harness's own word for it succeeded.
    pub completed: bool,
    pub text: String,
}

impl Done {
    /// The finished calls, in the order of their ends.
    #[track_caller]
    pub fn ended_calls(&self) -> Vec<Ended> {
        let updates = self.events_of("call_update");
        let over = updates.iter().filter(|event| event["status"] != "in_progress");
        over.map(|event| {
            let content = event["content"].as_array().expect("a result has content");
            let parts = content.iter().filter_map(|part| part["part"]["text"].as_str());
            Ended { completed: event["status"] == "completed", text: parts.collect() }
        })
        .collect()
    }

    /// What the calls streamed while they ran.
    #[track_caller]
    pub fn streamed(&self) -> String {
        let output = self.events_of("call_output");
        output.iter().filter_map(|event| event["text"].as_str()).collect()
    }
}
