//! Admission: is the request sound, and may it start now?

use domain::Quoted;
use domain::chat::{EXTRA_FIELDS, Request, ToolChoice};
use domain::limits::REQUEST_MAX_BYTES;

use crate::error::LlmError;
use crate::price::size;

/// Stop strings that every provider takes.
const STOP_MAX: usize = 4;
/// The range in which every provider takes a temperature.
const TEMPERATURE_MAX: f64 = 2.0;
/// What providers allow as a tool's name.
const TOOL_NAME_MAX_BYTES: usize = 64;

/// Checks what the doors have not: names, ranges, references between fields. Gives back the
/// request's bytes.
pub(crate) fn admit(request: &Request) -> Result<usize, LlmError> {
    let invalid = |text: String| Err(LlmError::InvalidRequest(text));
    if request.messages.is_empty() && request.system.is_none() {
        return invalid("`messages` is empty; a request needs at least one message".into());
    }
    let bytes = size(request);
    if bytes > REQUEST_MAX_BYTES {
        return invalid(format!(
            "the request has {bytes} bytes; at most {REQUEST_MAX_BYTES} are allowed"
        ));
    }
    if request.stop.len() > STOP_MAX {
        return invalid(format!(
            "`stop` has {} strings; at most {STOP_MAX} are allowed",
            request.stop.len()
        ));
    }
    if let Some(t) = request.temperature
        && !(0.0..=TEMPERATURE_MAX).contains(&t)
    {
        return invalid(format!(
            "`temperature` is {t}; it must lie between 0 and {TEMPERATURE_MAX}"
        ));
    }
    if request.max_output_tokens == Some(0) {
        return invalid("`max-output-tokens` is 0; ask for at least 1 or leave it out".into());
    }
    for tool in &request.tools {
        let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if tool.name.is_empty()
            || tool.name.len() > TOOL_NAME_MAX_BYTES
            || !tool.name.bytes().all(sound)
        {
            return invalid(format!(
                "tool name {} must be 1 to {TOOL_NAME_MAX_BYTES} letters, digits, `_` or `-`",
                Quoted(&tool.name)
            ));
        }
    }
    if let ToolChoice::Named(name) = &request.tool_choice
        && !request.tools.iter().any(|tool| tool.name == *name)
    {
        return invalid(format!(
            "`tool-choice` names {}, which is not among `tools`",
            Quoted(name)
        ));
    }
    if let Some(name) = request.extra.keys().find(|name| !EXTRA_FIELDS.contains(&name.as_str())) {
        return invalid(format!(
            "{} of `extra` is not allowed; allowed are: {}",
            Quoted(name),
            EXTRA_FIELDS.join(", ")
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Part;
    use domain::chat::{Message, Tool};

    fn request() -> Request {
        Request { messages: vec![Message::User(vec![Part::text("hi")])], ..Request::default() }
    }

    #[test]
    fn refuses_what_no_provider_takes_or_what_evades_the_price() {
        assert!(admit(&request()).is_ok());
        let tool = |name: &str| Tool {
            name: name.into(),
            description: String::new(),
            parameters: serde_json::json!({}),
        };
        let extra = |name: &str| {
            let mut r = request();
            r.extra.insert(name.into(), 2.into());
            r
        };
        assert!(admit(&extra("top_p")).is_ok());
        let bad = [
            Request::default(),
            Request { stop: vec![String::new(); 5], ..request() },
            Request { temperature: Some(2.1), ..request() },
            Request { temperature: Some(f64::NAN), ..request() },
            Request { max_output_tokens: Some(0), ..request() },
            Request { system: Some("x".repeat(REQUEST_MAX_BYTES)), ..request() },
            Request { tools: vec![tool("a b")], ..request() },
            Request { tools: vec![tool("")], ..request() },
            Request { tool_choice: ToolChoice::Named("x".into()), ..request() },
            extra("n"),
            extra("model"),
            extra("service_tier"),
        ];
        for request in bad {
            let refused = admit(&request);
            assert!(matches!(refused, Err(LlmError::InvalidRequest(_))), "{refused:?}");
        }
    }
}
