//! Its one tool, `remember`.

use serde_json::{Value, json};

use crate::Broken;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::harness::turn;
use crate::xpressclaw::harness::types::{Call, CallContent, CallUpdate, Event, Kind, Status};
use crate::xpressclaw::llm::types::{Tool, ToolCall, ToolResult};
use crate::xpressclaw::xclaw::{memory, types as verbs};

pub fn remember() -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": { "text": { "type": "string" } },
        "required": ["text"],
    });
    Tool {
        name: "remember".to_owned(),
        description: "Store a note.".to_owned(),
        parameters: parameters.to_string(),
    }
}

pub fn run(broken: Broken, call: ToolCall) -> ToolResult {
    turn::emit(&Event::Call(Call {
        id: call.id.clone(),
        tool: call.name.clone(),
        kind: Kind::Other,
        title: call.name.clone(),
        input: call.arguments.clone(),
        locations: Vec::new(),
    }));
    let (mut status, text) = match store(broken, &call) {
        Ok(text) => (Status::Completed, text),
        Err((status, text)) => (status, text),
    };
    if broken == Broken::Boasts {
        status = Status::Completed;
    }
    let content = vec![Part::Text(text)];
    if broken != Broken::Silent {
        turn::emit(&Event::CallUpdate(CallUpdate {
            id: call.id.clone(),
            status: Some(status),
            content: Some(content.iter().cloned().map(CallContent::Part).collect()),
            output: None,
        }));
    }
    ToolResult { call_id: call.id, content, failed: status != Status::Completed }
}

fn store(broken: Broken, call: &ToolCall) -> Result<String, (Status, String)> {
    let failed = |text: String| (Status::Failed, text);
    if call.name != "remember" {
        return Err(failed(format!("there is no tool {}", call.name)));
    }
    let arguments: Value = match serde_json::from_str(&call.arguments) {
        Ok(arguments) => arguments,
        Err(error) if broken == Broken::Panics => panic!("{error}"),
        Err(error) => return Err(failed(error.to_string())),
    };
    let Some(text) = arguments["text"].as_str() else {
        return Err(failed("the argument text is missing".to_owned()));
    };
    match memory::add(text, &[]) {
        Ok(id) => Ok(format!("stored as note {id}")),
        Err(verbs::Error::Denied(text)) => Err((Status::Denied, text)),
        Err(error) => Err(failed(format!("{error:?}"))),
    }
}
