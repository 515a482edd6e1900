//! From the body of a message to the pipeline's request.

use domain::chat::{
    AssistantPart, Effort, Message, Request, Thinking, Tool, ToolCall, ToolChoice, ToolResult,
};
use domain::content::Part;
use serde_json::{Map, Value, json};

use crate::error::Refusal;
use crate::identity::DEFAULT;
use crate::read::{At, blob};

const KNOWN: [&str; 12] = [
    "max_tokens",
    "messages",
    "model",
    "output_config",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "anthropic_version",
];
/// Of `domain::chat::EXTRA_FIELDS`, by the same name in this API.
const EXTRA: [&str; 3] = ["metadata", "top_k", "top_p"];
/// Tokens of a budget of thinking up to which an effort is meant: the steps that our own provider
/// takes in the other direction.
const LOW_MAX: u32 = 8_192;
const MEDIUM_MAX: u32 = 16_384;

pub(crate) struct Parsed {
    pub request: Request,
    pub stream: bool,
    /// Fields that go nowhere.
    pub ignored: Vec<String>,
}

pub(crate) fn parse(body: &Value) -> Result<Parsed, Refusal> {
    let at = At::root(body);
    let fields = at.object()?;
    let mut messages = Vec::new();
    at.need("messages", |at| at.each(|at| message(at, &mut messages)))?;
    let mut extra: Map<String, Value> = fields
        .iter()
        .filter(|(name, value)| EXTRA.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let choice = at.get("tool_choice", tool_choice)?.unwrap_or_default();
    if choice.one_at_a_time {
        extra.insert("parallel_tool_calls".into(), json!(false));
    }
    let request = Request {
        model: at.get("model", |at| Ok(at.text()?.to_owned()))?.filter(|name| name != DEFAULT),
        system: at.get("system", text)?.filter(|text| !text.is_empty()),
        messages,
        tools: at.get("tools", |at| at.each(tool))?.unwrap_or_default(),
        tool_choice: choice.choice,
        max_output_tokens: Some(at.need("max_tokens", |at| at.count())?),
        temperature: at.get("temperature", |at| at.number())?,
        effort: effort(at)?,
        output_schema: at.get("output_config", |at| at.get("format", schema))?.flatten(),
        stop: at
            .get("stop_sequences", |at| at.each(|at| Ok(at.text()?.to_owned())))?
            .unwrap_or_default(),
        extra,
    };
    let goes_nowhere =
        |name: &&String| !KNOWN.contains(&name.as_str()) && !EXTRA.contains(&name.as_str());
    Ok(Parsed {
        request,
        stream: at.get("stream", |at| at.flag())?.unwrap_or_default(),
        ignored: fields.keys().filter(goes_nowhere).cloned().collect(),
    })
}

fn message(at: At<'_>, messages: &mut Vec<Message>) -> Result<(), Refusal> {
    match at.need_text("role")?.as_str() {
        "user" => at.need("content", |at| user(at, messages)),
        "assistant" => {
            messages.push(Message::Assistant(at.need("content", assistant)?));
            Ok(())
        }
        _ => Err(at.wrong("has a `role` that is not known; there are: user, assistant")),
    }
}

/// Results of tools are messages of their own here; what the user said keeps its place among them.
fn user(at: At<'_>, messages: &mut Vec<Message>) -> Result<(), Refusal> {
    if let Some(text) = at.value.as_str() {
        messages.push(Message::User(vec![Part::text(text)]));
        return Ok(());
    }
    let mut said = Vec::new();
    let blocks = at.each(|at| match at.need_text("type")?.as_str() {
        "tool_result" => Ok(Err(ToolResult {
            call_id: at.need_text("tool_use_id")?,
            content: at.get("content", parts)?.unwrap_or_default(),
            failed: at.get("is_error", |at| at.flag())?.unwrap_or_default(),
        })),
        _ => part(at).map(Ok),
    })?;
    for block in blocks {
        match block {
            Ok(part) => said.push(part),
            Err(result) => {
                if !said.is_empty() {
                    messages.push(Message::User(std::mem::take(&mut said)));
                }
                messages.push(Message::Tool(result));
            }
        }
    }
    if !said.is_empty() {
        messages.push(Message::User(said));
    }
    Ok(())
}

fn assistant(at: At<'_>) -> Result<Vec<AssistantPart>, Refusal> {
    if let Some(text) = at.value.as_str() {
        return Ok(vec![AssistantPart::Text(text.to_owned())]);
    }
    at.each(|at| match at.need_text("type")?.as_str() {
        "text" => Ok(AssistantPart::Text(at.need_text("text")?)),
        "thinking" => Ok(AssistantPart::Thinking(Thinking {
            text: at.need_text("thinking")?,
            signature: at.get("signature", |at| Ok(at.text()?.to_owned()))?,
        })),
        // The endpoint's own answers have none. One in a history is of a conversation that began
        // elsewhere, and goes where thinking of elsewhere goes.
        "redacted_thinking" => Ok(AssistantPart::Thinking(Thinking {
            text: String::new(),
            signature: Some(at.need_text("data")?),
        })),
        "tool_use" => Ok(AssistantPart::ToolCall(ToolCall {
            id: at.need_text("id")?,
            name: at.need_text("name")?,
            arguments: at
                .need("input", |at| Ok(Value::Object(at.object()?.clone()).to_string()))?,
            signature: None,
        })),
        _ => Err(at.wrong("has a `type` that is not known; there are: text, thinking, redacted_thinking, tool_use")),
    })
}

fn parts(at: At<'_>) -> Result<Vec<Part>, Refusal> {
    match at.value.as_str() {
        Some(text) => Ok(vec![Part::text(text)]),
        None => at.each(part),
    }
}

fn part(at: At<'_>) -> Result<Part, Refusal> {
    match at.need_text("type")?.as_str() {
        "text" => Ok(Part::Text(at.need_text("text")?)),
        "image" | "document" => at.need("source", |at| match at.need_text("type")?.as_str() {
            "base64" => {
                let mime = at.need_text("media_type")?;
                Ok(Part::Blob(at.need("data", |at| blob(at, &mime))?))
            }
            "text" => Ok(Part::Text(at.need_text("data")?)),
            _ => Err(at.wrong(
                "has a `type` that is not known; there is base64: the endpoint fetches nothing, so send the bytes",
            )),
        }),
        _ => Err(at.wrong("has a `type` that is not known; there are: text, image, document, tool_result")),
    }
}

/// A text, or a list of text blocks.
fn text(at: At<'_>) -> Result<String, Refusal> {
    match at.value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Ok(at.each(|at| at.need_text("text"))?.join("\n\n")),
    }
}

fn tool(at: At<'_>) -> Result<Tool, Refusal> {
    let kind = at.get("type", |at| Ok(at.text()?.to_owned()))?;
    if kind.is_some_and(|kind| kind != "custom") {
        return Err(at.wrong("is a tool that the provider runs itself, and bills beside the tokens; there are: custom"));
    }
    Ok(Tool {
        name: at.need_text("name")?,
        description: at.get("description", |at| Ok(at.text()?.to_owned()))?.unwrap_or_default(),
        parameters: at.need("input_schema", |at| Ok(Value::Object(at.object()?.clone())))?,
    })
}

#[derive(Default)]
struct Choice {
    choice: ToolChoice,
    one_at_a_time: bool,
}

fn tool_choice(at: At<'_>) -> Result<Choice, Refusal> {
    let choice = match at.need_text("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(at.need_text("name")?),
        _ => {
            return Err(
                at.wrong("has a `type` that is not known; there are: auto, any, tool, none")
            );
        }
    };
    let one_at_a_time = at.get("disable_parallel_tool_use", |at| at.flag())?.unwrap_or_default();
    Ok(Choice { choice, one_at_a_time })
}

/// `thinking`, and the effort of `output_config` where thinking is adaptive.
fn effort(at: At<'_>) -> Result<Option<Effort>, Refusal> {
    let named = |at: At<'_>| {
        serde_json::from_value(at.value.clone())
            .map_err(|_| at.wrong("must be low, medium, high, xhigh or max"))
    };
    let wanted = at.get("output_config", |at| at.get("effort", named))?.flatten();
    at.get("thinking", |at| match at.need_text("type")?.as_str() {
        "disabled" => Ok(Effort::None),
        "adaptive" => Ok(wanted.unwrap_or(Effort::High)),
        "enabled" => {
            let tokens = at.need("budget_tokens", |at| at.count())?;
            Ok(if tokens <= LOW_MAX {
                Effort::Low
            } else if tokens <= MEDIUM_MAX {
                Effort::Medium
            } else {
                Effort::High
            })
        }
        _ => {
            Err(at.wrong("has a `type` that is not known; there are: enabled, adaptive, disabled"))
        }
    })
    .map(|effort| effort.or(wanted))
}

fn schema(at: At<'_>) -> Result<Value, Refusal> {
    at.need("schema", |at| Ok(Value::Object(at.object()?.clone())))
}
