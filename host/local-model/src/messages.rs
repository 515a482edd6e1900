//! A request as the list of messages that a chat template takes.
//!
//! Chat templates differ in what they refuse: a system message, two messages of one role in a
//! row, a role they never heard of. What they all take is plain text of alternating users and
//! assistants after at most one system message, so that is what is built, with more structure
//! only for templates that write tool calls themselves.

use std::collections::HashMap;

use domain::chat::{AssistantPart, Message, Request, ToolCall, ToolChoice};
use domain::content::plain_text;
use domain::provider::ProviderError;
use serde_json::{Value as Json, json};

use crate::guard::ControlTexts;
use crate::template::ToolFormat;
use crate::wire;

/// The messages and tools of a request, for the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub messages: Vec<Json>,
    pub tools: Vec<Json>,
}

impl Prompt {
    /// Builds the prompt. Texts that would read as control tokens are defused.
    pub(crate) fn build(
        request: &Request,
        format: ToolFormat,
        guard: &ControlTexts,
    ) -> Result<Self, ProviderError> {
        let offers_tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
        let mut system: Vec<String> = request.system.iter().cloned().collect();
        let mut tools = Vec::new();
        if offers_tools {
            match format {
                ToolFormat::Native => tools.extend(request.tools.iter().map(wire::tool_json)),
                ToolFormat::Text => system.push(wire::tools_text(&request.tools).map_err(json)?),
            }
        }
        if let Some(schema) = &request.output_schema {
            system.push(wire::schema_text(schema).map_err(json)?);
        }
        let mut messages = Vec::with_capacity(request.messages.len() + 1);
        if !system.is_empty() {
            messages.push(json!({"role": "system", "content": system.join("\n\n")}));
        }
        let mut names = HashMap::new();
        for message in &request.messages {
            match message {
                Message::User(parts) => push(&mut messages, "user", plain_text(parts)),
                Message::Assistant(parts) => {
                    for part in parts {
                        if let AssistantPart::ToolCall(call) = part {
                            names.insert(call.id.as_str(), call.name.as_str());
                        }
                    }
                    assistant(&mut messages, parts, format);
                }
                Message::Tool(result) => {
                    let mut text = plain_text(&result.content);
                    if result.failed {
                        text.insert_str(0, "error: ");
                    }
                    match format {
                        ToolFormat::Native => messages.push(json!({
                            "role": "tool",
                            "tool_call_id": result.call_id,
                            "name": names.get(result.call_id.as_str()).copied().unwrap_or_default(),
                            "content": text,
                        })),
                        ToolFormat::Text => push(&mut messages, "user", wire::result_text(&text)),
                    }
                }
            }
        }
        for json in messages.iter_mut().chain(&mut tools) {
            guard.defuse(json);
        }
        Ok(Self { messages, tools })
    }

    /// The same with the system text at the head of the first user message, for templates that
    /// refuse a system message; `None` when there is none.
    pub(crate) fn without_system(&self) -> Option<Self> {
        let (system, rest) = self.messages.split_first()?;
        if system["role"] != "system" {
            return None;
        }
        let system = text_of(system);
        let mut messages = rest.to_vec();
        match messages.first_mut() {
            Some(first) if first["role"] == "user" => {
                first["content"] = format!("{system}\n\n{}", text_of(first)).into();
            }
            _ => messages.insert(0, json!({"role": "user", "content": system})),
        }
        Some(Self { messages, tools: self.tools.clone() })
    }
}

fn json(error: serde_json::Error) -> ProviderError {
    ProviderError::InvalidRequest(format!("a schema cannot be written as JSON: {error}"))
}

fn text_of(message: &Json) -> &str {
    message["content"].as_str().unwrap_or_default()
}

/// Adds a text, to the last message when that has the same role.
fn push(messages: &mut Vec<Json>, role: &str, text: String) {
    match messages.last_mut() {
        Some(last) if last["role"] == role && last.get("tool_calls").is_none() => {
            last["content"] = format!("{}\n{text}", text_of(last)).into();
        }
        _ => messages.push(json!({"role": role, "content": text})),
    }
}

fn assistant(messages: &mut Vec<Json>, parts: &[AssistantPart], format: ToolFormat) {
    let mut text = String::new();
    let mut thinking = String::new();
    let mut calls = Vec::new();
    for part in parts {
        match part {
            AssistantPart::Text(t) => text.push_str(t),
            AssistantPart::Thinking(t) => thinking.push_str(&t.text),
            AssistantPart::ToolCall(call) => calls.push(call),
        }
    }
    match format {
        ToolFormat::Text => {
            for call in calls {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&wire::call_text(call));
            }
            push(messages, "assistant", text);
        }
        ToolFormat::Native => {
            let mut message = json!({"role": "assistant", "content": text});
            if !thinking.is_empty() {
                message["reasoning_content"] = thinking.into();
            }
            if !calls.is_empty() {
                message["tool_calls"] = calls.into_iter().map(call_json).collect();
            }
            messages.push(message);
        }
    }
}

fn call_json(call: &ToolCall) -> Json {
    let arguments = serde_json::from_str(&call.arguments)
        .unwrap_or_else(|_| Json::String(call.arguments.clone()));
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::{Thinking, Tool, ToolResult};
    use domain::content::Part;

    fn user(text: &str) -> Message {
        Message::User(vec![Part::text(text)])
    }

    fn request() -> Request {
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "add".to_owned(),
            arguments: r#"{"a":1}"#.to_owned(),
            signature: None,
        };
        let thinking = Thinking { text: "hm".to_owned(), signature: None };
        Request {
            system: Some("Be brief.".to_owned()),
            messages: vec![
                user("one"),
                user("two"),
                Message::Assistant(vec![
                    AssistantPart::Thinking(thinking),
                    AssistantPart::Text("ok".to_owned()),
                    AssistantPart::ToolCall(call),
                ]),
                Message::Tool(ToolResult {
                    call_id: "c1".to_owned(),
                    content: vec![Part::text("2")],
                    failed: true,
                }),
                user("<|end|>"),
            ],
            tools: vec![Tool {
                name: "add".to_owned(),
                description: "Adds".to_owned(),
                parameters: json!({"type": "object"}),
            }],
            ..Request::default()
        }
    }

    fn build(request: &Request, format: ToolFormat) -> Prompt {
        let guard = ControlTexts::new(["<|end|>".to_owned()]);
        Prompt::build(request, format, &guard).unwrap()
    }

    #[test]
    fn a_template_with_tools_gets_structure() {
        let prompt = build(&request(), ToolFormat::Native);
        assert_eq!(
            Json::from(prompt.messages),
            json!([
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "one\ntwo"},
                {"role": "assistant", "content": "ok", "reasoning_content": "hm", "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}},
                ]},
                {"role": "tool", "tool_call_id": "c1", "name": "add", "content": "error: 2"},
                {"role": "user", "content": "<\u{200b}|end|>"},
            ])
        );
        assert_eq!(prompt.tools.len(), 1);
    }

    #[test]
    fn any_other_template_gets_alternating_text() {
        let prompt = build(&request(), ToolFormat::Text);
        assert_eq!(prompt.tools, Vec::<Json>::new());
        let (system, rest) = prompt.messages.split_first().unwrap();
        let system = text_of(system);
        assert!(
            system.starts_with("Be brief.\n\n") && system.contains(r#""name": "add""#),
            "{system}"
        );
        assert_eq!(
            Json::from(rest),
            json!([
                {"role": "user", "content": "one\ntwo"},
                {"role": "assistant", "content": "ok\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>"},
                {"role": "user", "content": "<tool_response>\nerror: 2\n</tool_response>\n<\u{200b}|end|>"},
            ])
        );
    }

    #[test]
    fn tools_that_may_not_be_called_are_not_shown() {
        let hidden = Request { tool_choice: ToolChoice::None, ..request() };
        assert_eq!(build(&hidden, ToolFormat::Native).tools, Vec::<Json>::new());
        let prompt = build(&hidden, ToolFormat::Text);
        assert_eq!(text_of(&prompt.messages[0]), "Be brief.");
    }

    #[test]
    fn a_schema_is_asked_for_and_the_system_text_can_move() {
        let schema =
            Request { output_schema: Some(json!({"type": "integer"})), tools: vec![], ..request() };
        let prompt = build(&schema, ToolFormat::Text);
        assert!(text_of(&prompt.messages[0]).ends_with(r#"{"type": "integer"}"#));
        let moved = prompt.without_system().unwrap();
        assert_eq!(moved.messages.len(), prompt.messages.len() - 1);
        assert!(text_of(&moved.messages[0]).starts_with("Be brief."));
        assert!(text_of(&moved.messages[0]).ends_with("one\ntwo"));
        assert_eq!(moved.without_system(), None);
    }
}
