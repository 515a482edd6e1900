//! From the body of a chat completion to the pipeline's request.

use domain::chat::{
    AssistantPart, EXTRA_FIELDS, Effort, Message, Request, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use domain::content::Part;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::identity::DEFAULT;
use crate::read::{At, blob, data_url, wrong};

/// What the endpoint itself reads, besides [`EXTRA_FIELDS`].
const KNOWN: [&str; 14] = [
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "reasoning_effort",
    "response_format",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "modalities",
];

pub(crate) struct Parsed {
    pub request: Request,
    pub stream: bool,
    /// `stream_options.include_usage`: usage is asked of every provider, and hidden unless this is
    /// set.
    pub include_usage: bool,
    /// Fields that go nowhere.
    pub ignored: Vec<String>,
}

pub(crate) fn parse(body: &Value) -> Result<Parsed, Refusal> {
    let at = At::root(body);
    let fields = at.object()?;
    if at.get("n", |at| at.count())?.is_some_and(|n| n != 1) {
        return Err(wrong("n", "must be 1: one answer is priced and reserved for"));
    }
    let (mut system, mut messages) = (Vec::new(), Vec::new());
    at.need("messages", |at| at.each(|at| message(at, &mut system, &mut messages)))?;
    let limit = at.get("max_completion_tokens", |at| at.count())?;
    let request = Request {
        model: at.get("model", |at| Ok(at.text()?.to_owned()))?.filter(|name| name != DEFAULT),
        system: (!system.is_empty()).then(|| system.join("\n\n")),
        messages,
        tools: at.get("tools", |at| at.each(tool))?.unwrap_or_default(),
        tool_choice: at.get("tool_choice", tool_choice)?.unwrap_or_default(),
        max_output_tokens: limit.or(at.get("max_tokens", |at| at.count())?),
        temperature: at.get("temperature", |at| at.number())?,
        effort: at.get("reasoning_effort", effort)?,
        output_schema: at.get("response_format", schema)?.flatten(),
        stop: at.get("stop", stop)?.unwrap_or_default(),
        extra: fields
            .iter()
            .filter(|(name, value)| EXTRA_FIELDS.contains(&name.as_str()) && !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    let goes_nowhere =
        |name: &&String| !KNOWN.contains(&name.as_str()) && !EXTRA_FIELDS.contains(&name.as_str());
    Ok(Parsed {
        request,
        stream: at.get("stream", |at| at.flag())?.unwrap_or_default(),
        include_usage: at
            .get("stream_options", |at| at.get("include_usage", |at| at.flag()))?
            .flatten()
            .unwrap_or_default(),
        ignored: fields.keys().filter(goes_nowhere).cloned().collect(),
    })
}

fn message(
    at: At<'_>,
    system: &mut Vec<String>,
    messages: &mut Vec<Message>,
) -> Result<(), Refusal> {
    match at.need_text("role")?.as_str() {
        "system" | "developer" => system.push(at.need("content", text)?),
        "user" => messages.push(Message::User(at.need("content", parts)?)),
        "assistant" => messages.push(Message::Assistant(assistant(at)?)),
        "tool" => messages.push(Message::Tool(ToolResult {
            call_id: at.need_text("tool_call_id")?,
            content: at.need("content", parts)?,
            failed: false,
        })),
        _ => {
            return Err(at.wrong(
                "has a `role` that is not known; there are: system, developer, user, assistant, tool",
            ));
        }
    }
    Ok(())
}

fn assistant(at: At<'_>) -> Result<Vec<AssistantPart>, Refusal> {
    let mut message = Vec::new();
    let thought = at.get("reasoning_content", |at| Ok(at.text()?.to_owned()))?;
    if let Some(text) = thought.filter(|text| !text.is_empty()) {
        message.push(AssistantPart::Thinking(Thinking { text, signature: None }));
    }
    let said = at.get("content", text)?;
    if let Some(text) = said.filter(|text| !text.is_empty()) {
        message.push(AssistantPart::Text(text));
    }
    for call in at.get("tool_calls", |at| at.each(tool_call))?.unwrap_or_default() {
        message.push(AssistantPart::ToolCall(call));
    }
    Ok(message)
}

fn tool_call(at: At<'_>) -> Result<ToolCall, Refusal> {
    let signature = at.get("extra_content", |at| {
        at.get("google", |at| at.get("thought_signature", |at| Ok(at.text()?.to_owned())))
    })?;
    let id = at.need_text("id")?;
    at.need("function", |at| {
        Ok(ToolCall {
            id,
            name: at.need_text("name")?,
            arguments: at.need_text("arguments")?,
            signature: signature.flatten().flatten(),
        })
    })
}

/// A text, or a list of texts and refusals.
fn text(at: At<'_>) -> Result<String, Refusal> {
    if let Some(text) = at.value.as_str() {
        return Ok(text.to_owned());
    }
    let texts = at.each(|at| match at.need_text("type")?.as_str() {
        "text" => at.need_text("text"),
        "refusal" => at.need_text("refusal"),
        _ => Err(at.wrong("has a `type` that is no text")),
    })?;
    Ok(texts.concat())
}

fn parts(at: At<'_>) -> Result<Vec<Part>, Refusal> {
    if let Some(text) = at.value.as_str() {
        return Ok(vec![Part::text(text)]);
    }
    at.each(part)
}

fn part(at: At<'_>) -> Result<Part, Refusal> {
    match at.need_text("type")?.as_str() {
        "text" => Ok(Part::Text(at.need_text("text")?)),
        "refusal" => Ok(Part::Text(at.need_text("refusal")?)),
        "image_url" => Ok(Part::Blob(at.need("image_url", |at| at.need("url", data_url))?)),
        "input_audio" => at.need("input_audio", |at| {
            let mime = match at.need_text("format")?.as_str() {
                "wav" => "audio/wav",
                "mp3" => "audio/mpeg",
                _ => return Err(at.wrong("has a `format` that is not known; there are: wav, mp3")),
            };
            Ok(Part::Blob(at.need("data", |at| blob(at, mime))?))
        }),
        "file" => Ok(Part::Blob(at.need("file", |at| at.need("file_data", data_url))?)),
        _ => Err(at.wrong(
            "has a `type` that is not known; there are: text, image_url, input_audio, file",
        )),
    }
}

fn tool(at: At<'_>) -> Result<Tool, Refusal> {
    if at.need_text("type")? != "function" {
        return Err(at.wrong("has a `type` that is not known; there is: function"));
    }
    at.need("function", |at| {
        Ok(Tool {
            name: at.need_text("name")?,
            description: at.get("description", |at| Ok(at.text()?.to_owned()))?.unwrap_or_default(),
            parameters: at
                .get("parameters", |at| Ok(Value::Object(at.object()?.clone())))?
                .unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        })
    })
}

fn tool_choice(at: At<'_>) -> Result<ToolChoice, Refusal> {
    match at.value.as_str() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some("required") => Ok(ToolChoice::Required),
        Some(_) => Err(at.wrong("must be auto, none, required or a function")),
        None => Ok(ToolChoice::Named(at.need("function", |at| at.need_text("name"))?)),
    }
}

fn effort(at: At<'_>) -> Result<Effort, Refusal> {
    serde_json::from_value(at.value.clone())
        .map_err(|_| at.wrong("must be none, minimal, low, medium, high, xhigh or max"))
}

fn schema(at: At<'_>) -> Result<Option<Value>, Refusal> {
    match at.need_text("type")?.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(json!({"type": "object"}))),
        "json_schema" => at.need("json_schema", |at| {
            at.need("schema", |at| Ok(Some(Value::Object(at.object()?.clone()))))
        }),
        _ => {
            Err(at
                .wrong("has a `type` that is not known; there are: text, json_object, json_schema"))
        }
    }
}

fn stop(at: At<'_>) -> Result<Vec<String>, Refusal> {
    match at.value.as_str() {
        Some(text) => Ok(vec![text.to_owned()]),
        None => at.each(|at| Ok(at.text()?.to_owned())),
    }
}
