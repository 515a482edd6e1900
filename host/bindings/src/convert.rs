//! Conversions between the generated types and the core types, and the size checks at the door.

use domain::chat as core;
use domain::content::{Blob, Link, Part};
use domain::event as ev;
use domain::limits;

use crate::base::content as wit_content;
use crate::llm::types as wit_llm;
use crate::session::types as wit;

/// A guest-controlled value passed a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    pub what: &'static str,
    pub limit: usize,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} over the limit of {}", self.what, self.limit)
    }
}

impl std::error::Error for TooLarge {}

impl From<wit_content::Part> for Part {
    fn from(part: wit_content::Part) -> Self {
        match part {
            wit_content::Part::Text(text) => Self::Text(text),
            wit_content::Part::Blob(b) => Self::Blob(Blob { mime: b.mime, data: b.data }),
            wit_content::Part::Link(l) => {
                Self::Link(Link { uri: l.uri, mime: l.mime, title: l.title })
            }
        }
    }
}

impl From<Part> for wit_content::Part {
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text),
            Part::Blob(b) => Self::Blob(wit_content::Blob { mime: b.mime, data: b.data }),
            Part::Link(l) => {
                Self::Link(wit_content::Link { uri: l.uri, mime: l.mime, title: l.title })
            }
        }
    }
}

/// Parts from a guest, checked against the limits.
pub fn parts_in(parts: Vec<wit_content::Part>) -> Result<Vec<Part>, TooLarge> {
    let parts: Vec<Part> = parts.into_iter().map(Into::into).collect();
    let mut total = 0usize;
    for part in &parts {
        let size = part.size();
        if size > limits::PART_MAX_BYTES {
            return Err(TooLarge { what: "a part's bytes", limit: limits::PART_MAX_BYTES });
        }
        total = total.saturating_add(size);
    }
    if total > limits::PARTS_MAX_BYTES {
        return Err(TooLarge { what: "the parts' bytes together", limit: limits::PARTS_MAX_BYTES });
    }
    Ok(parts)
}

/// Parts to a guest.
pub fn parts_out(parts: Vec<Part>) -> Vec<wit_content::Part> {
    parts.into_iter().map(Into::into).collect()
}

/// Why a request from a guest is refused before it enters the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRequest {
    TooLarge(TooLarge),
    /// `field` is not JSON of the wanted shape.
    Json {
        field: &'static str,
        wanted: &'static str,
        reason: String,
    },
}

impl std::fmt::Display for BadRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(t) => t.fmt(f),
            Self::Json { field, wanted, reason } => {
                write!(f, "`{field}` is not {wanted}: {reason}")
            }
        }
    }
}

impl std::error::Error for BadRequest {}

impl From<TooLarge> for BadRequest {
    fn from(t: TooLarge) -> Self {
        Self::TooLarge(t)
    }
}

fn json_object(
    field: &'static str,
    text: &str,
) -> Result<serde_json::Map<String, serde_json::Value>, BadRequest> {
    serde_json::from_str(text).map_err(|e| BadRequest::Json {
        field,
        wanted: "a JSON object",
        reason: e.to_string(),
    })
}

fn message_in(message: wit_llm::Message) -> Result<core::Message, TooLarge> {
    Ok(match message {
        wit_llm::Message::User(parts) => core::Message::User(parts_in(parts)?),
        wit_llm::Message::Assistant(parts) => {
            core::Message::Assistant(parts.into_iter().map(assistant_part_in).collect())
        }
        wit_llm::Message::Tool(result) => core::Message::Tool(core::ToolResult {
            call_id: result.call_id,
            content: parts_in(result.content)?,
            failed: result.failed,
        }),
    })
}

fn assistant_part_in(part: wit_llm::AssistantPart) -> core::AssistantPart {
    match part {
        wit_llm::AssistantPart::Text(text) => core::AssistantPart::Text(text),
        wit_llm::AssistantPart::Thinking(t) => {
            core::AssistantPart::Thinking(core::Thinking { text: t.text, signature: t.signature })
        }
        wit_llm::AssistantPart::ToolCall(c) => core::AssistantPart::ToolCall(core::ToolCall {
            id: c.id,
            name: c.name,
            arguments: c.arguments,
            signature: c.signature,
        }),
    }
}

fn message_size(message: &core::Message) -> usize {
    match message {
        core::Message::User(parts) => parts.iter().map(Part::size).sum(),
        core::Message::Tool(result) => {
            result.call_id.len() + result.content.iter().map(Part::size).sum::<usize>()
        }
        core::Message::Assistant(parts) => parts
            .iter()
            .map(|part| match part {
                core::AssistantPart::Text(text) => text.len(),
                core::AssistantPart::Thinking(t) => {
                    t.text.len() + t.signature.as_ref().map_or(0, String::len)
                }
                core::AssistantPart::ToolCall(c) => {
                    let signature = c.signature.as_ref().map_or(0, String::len);
                    c.id.len() + c.name.len() + c.arguments.len() + signature
                }
            })
            .sum(),
    }
}

/// A model request from a guest: sizes checked, JSON parsed.
pub fn request_in(request: wit_llm::Request) -> Result<core::Request, BadRequest> {
    if request.messages.len() > limits::MESSAGES_MAX {
        return Err(TooLarge { what: "messages", limit: limits::MESSAGES_MAX }.into());
    }
    if request.tools.len() > limits::TOOLS_MAX {
        return Err(TooLarge { what: "tools", limit: limits::TOOLS_MAX }.into());
    }
    let messages = request.messages.into_iter().map(message_in).collect::<Result<Vec<_>, _>>()?;
    let bytes = messages.iter().map(message_size).fold(0usize, usize::saturating_add);
    if bytes > limits::REQUEST_MAX_BYTES {
        return Err(
            TooLarge { what: "the request's bytes", limit: limits::REQUEST_MAX_BYTES }.into()
        );
    }
    let tools = request
        .tools
        .into_iter()
        .map(|tool| {
            let parameters = json_object("tools.parameters", &tool.parameters)?;
            Ok(core::Tool {
                name: tool.name,
                description: tool.description,
                parameters: parameters.into(),
            })
        })
        .collect::<Result<Vec<_>, BadRequest>>()?;
    Ok(core::Request {
        model: request.model,
        system: request.system,
        messages,
        tools,
        tool_choice: match request.tool_choice {
            wit_llm::ToolChoice::Auto => core::ToolChoice::Auto,
            wit_llm::ToolChoice::None => core::ToolChoice::None,
            wit_llm::ToolChoice::Required => core::ToolChoice::Required,
            wit_llm::ToolChoice::Named(name) => core::ToolChoice::Named(name),
        },
        max_output_tokens: request.max_output_tokens,
        temperature: request.temperature,
        effort: request.effort.map(|effort| match effort {
            wit_llm::Effort::None => core::Effort::None,
            wit_llm::Effort::Minimal => core::Effort::Minimal,
            wit_llm::Effort::Low => core::Effort::Low,
            wit_llm::Effort::Medium => core::Effort::Medium,
            wit_llm::Effort::High => core::Effort::High,
            wit_llm::Effort::Xhigh => core::Effort::Xhigh,
            wit_llm::Effort::Max => core::Effort::Max,
        }),
        output_schema: request
            .output_schema
            .map(|schema| json_object("output-schema", &schema).map(Into::into))
            .transpose()?,
        stop: request.stop,
        extra: request.extra.map(|e| json_object("extra", &e)).transpose()?.unwrap_or_default(),
    })
}

/// The settled end of a completion, for the guest.
pub fn outcome_out(outcome: core::Outcome) -> wit_llm::Outcome {
    let usage = outcome.usage;
    wit_llm::Outcome {
        finish: match outcome.finish {
            core::Finish::Stop => wit_llm::Finish::Stop,
            core::Finish::Length => wit_llm::Finish::Length,
            core::Finish::ToolCalls => wit_llm::Finish::ToolCalls,
            core::Finish::Refusal => wit_llm::Finish::Refusal,
        },
        model: outcome.model,
        downgraded_from: outcome.downgraded_from,
        usage: wit_llm::Usage {
            input: usage.input,
            cached: usage.cached,
            cache_written: usage.cache_written,
            output: usage.output,
            reasoning: usage.reasoning,
        },
        cost: outcome.cost.0,
    }
}

/// An event that a guest emitted.
pub fn event_in(event: wit::Event) -> Result<ev::HarnessEvent, TooLarge> {
    Ok(match event {
        wit::Event::Message(part) => {
            let part = Part::from(part);
            if part.size() > limits::PART_MAX_BYTES {
                return Err(TooLarge { what: "a part's bytes", limit: limits::PART_MAX_BYTES });
            }
            ev::HarnessEvent::Message { part }
        }
        wit::Event::Thought(text) => ev::HarnessEvent::Thought { text },
        wit::Event::Call(call) => ev::HarnessEvent::Call(call_in(call)),
        wit::Event::CallUpdate(update) => ev::HarnessEvent::CallUpdate(ev::CallUpdate {
            id: update.id,
            status: update.status.map(|status| match status {
                wit::Status::Pending => ev::Status::Pending,
                wit::Status::InProgress => ev::Status::InProgress,
                wit::Status::Completed => ev::Status::Completed,
                wit::Status::Failed => ev::Status::Failed,
                wit::Status::Denied => ev::Status::Denied,
            }),
            content: update.content.map(|c| c.into_iter().map(call_content_in).collect()),
            output: update.output,
        }),
        wit::Event::CallOutput(o) => ev::HarnessEvent::CallOutput { id: o.id, text: o.text },
        wit::Event::Plan(entries) => ev::HarnessEvent::Plan {
            entries: entries
                .into_iter()
                .map(|entry| ev::PlanEntry {
                    text: entry.text,
                    status: match entry.status {
                        wit::PlanStatus::Pending => ev::PlanStatus::Pending,
                        wit::PlanStatus::InProgress => ev::PlanStatus::InProgress,
                        wit::PlanStatus::Completed => ev::PlanStatus::Completed,
                    },
                })
                .collect(),
        },
        wit::Event::Commands(commands) => ev::HarnessEvent::Commands {
            commands: commands
                .into_iter()
                .map(|c| ev::Command { name: c.name, description: c.description, hint: c.hint })
                .collect(),
        },
        wit::Event::Title(title) => ev::HarnessEvent::Title { title },
        wit::Event::Notice(text) => ev::HarnessEvent::Notice { text },
        wit::Event::Other((name, json)) => ev::HarnessEvent::Other { name, json },
    })
}

/// A tool call that a guest announces or asks approval for.
pub fn call_in(call: wit::Call) -> ev::Call {
    ev::Call {
        id: call.id,
        tool: call.tool,
        kind: match call.kind {
            wit::Kind::Read => ev::Kind::Read,
            wit::Kind::Edit => ev::Kind::Edit,
            wit::Kind::Delete => ev::Kind::Delete,
            wit::Kind::Move => ev::Kind::Move,
            wit::Kind::Search => ev::Kind::Search,
            wit::Kind::Execute => ev::Kind::Execute,
            wit::Kind::Think => ev::Kind::Think,
            wit::Kind::Fetch => ev::Kind::Fetch,
            wit::Kind::Other => ev::Kind::Other,
        },
        title: call.title,
        input: call.input,
        locations: call
            .locations
            .into_iter()
            .map(|l| ev::Location { path: l.path, line: l.line })
            .collect(),
    }
}

fn call_content_in(content: wit::CallContent) -> ev::CallContent {
    match content {
        wit::CallContent::Part(part) => ev::CallContent::Part(part.into()),
        wit::CallContent::Diff(d) => {
            ev::CallContent::Diff(ev::Diff { path: d.path, old: d.old, new: d.new })
        }
    }
}

/// Why a turn ended, as the guest says.
pub fn stop_in(stop: wit::Stop) -> ev::Stop {
    match stop {
        wit::Stop::EndTurn => ev::Stop::EndTurn,
        wit::Stop::MaxTokens => ev::Stop::MaxTokens,
        wit::Stop::MaxSteps => ev::Stop::MaxSteps,
        wit::Stop::Refusal => ev::Stop::Refusal,
        wit::Stop::Cancelled => ev::Stop::Cancelled,
    }
}
