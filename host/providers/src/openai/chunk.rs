//! What one event of the stream says. Lenient where servers differ (absent, null, extra fields),
//! strict where a guess would change the answer.

use domain::chat::{Finish, Usage};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk {
    pub model: Option<String>,
    pub choices: Option<Vec<Choice>>,
    pub usage: Option<Value>,
    /// Some servers report a failure in the middle of a stream.
    pub error: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub index: u32,
    pub delta: Option<Fragment>,
    /// Where servers put an answer that they do not stream piece by piece.
    pub message: Option<Fragment>,
    pub finish_reason: Option<String>,
    /// OpenRouter: why this answer failed.
    pub error: Option<Value>,
    /// Where a few servers put it.
    pub usage: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Fragment {
    pub content: Option<Content>,
    pub refusal: Option<String>,
    /// DeepSeek's name for thinking, also of most servers of open models.
    pub reasoning_content: Option<String>,
    /// OpenRouter's name for it; servers that send both send the same twice.
    pub reasoning: Option<String>,
    /// OpenRouter's structured form of the same.
    pub reasoning_details: Option<Value>,
    pub tool_calls: Option<Vec<CallFragment>>,
    /// The form before `tool_calls`.
    pub function_call: Option<FunctionFragment>,
}

/// Text, or parts of text and thinking (Mistral's reasoning models).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Value>),
}

/// What a content says.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub text: String,
    pub thinking: String,
}

impl Content {
    pub fn split(self) -> Said {
        let parts = match self {
            Self::Text(text) => return Said { text, ..Said::default() },
            Self::Parts(parts) => parts,
        };
        let mut said = Said::default();
        let text = |part: &Value| part["text"].as_str().unwrap_or_default().to_owned();
        for part in &parts {
            said.text.push_str(&text(part));
            match &part["thinking"] {
                Value::String(thought) => said.thinking.push_str(thought),
                Value::Array(thoughts) => said.thinking.extend(thoughts.iter().map(text)),
                _ => {}
            }
        }
        said
    }
}

/// The readable text of `reasoning_details`: of `reasoning.text` and `reasoning.summary`; encrypted
/// ones have none.
pub(super) fn details_text(details: &Value) -> String {
    let details = details.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |detail: &Value| {
        let text = detail["text"].as_str().or_else(|| detail["summary"].as_str());
        text.unwrap_or_default().to_owned()
    };
    details.iter().map(text).collect()
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CallFragment {
    pub index: Option<u32>,
    pub id: Option<String>,
    pub function: Option<FunctionFragment>,
    /// Where Google puts the signature of a call.
    pub extra_content: Option<Value>,
}

impl From<FunctionFragment> for CallFragment {
    fn from(function: FunctionFragment) -> Self {
        Self { function: Some(function), ..Self::default() }
    }
}

impl CallFragment {
    pub fn signature(&self) -> Option<&str> {
        let content = self.extra_content.as_ref()?;
        content.pointer("/google/thought_signature")?.as_str().filter(|text| !text.is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionFragment {
    pub name: Option<String>,
    /// JSON text; a few servers send the object itself.
    pub arguments: Option<Value>,
}

/// Why the answer ended; `None` for a reason that says nothing.
pub(super) fn finish(reason: &str) -> Option<Finish> {
    match reason {
        "" => None,
        "length" | "max_tokens" | "model_length" => Some(Finish::Length),
        "tool_calls" | "function_call" => Some(Finish::ToolCalls),
        "content_filter" => Some(Finish::Refusal),
        // `stop`, `eos` and whatever else a server calls a normal end.
        _ => Some(Finish::Stop),
    }
}

/// Usage as the domain counts it, `None` when the server sent a placeholder of zeros.
///
/// Where a server counts reasoning apart from the completion (its total is larger than the sum),
/// the difference is output: that is how it is billed.
pub(super) fn usage(value: &Value) -> Option<Usage> {
    let count = |field: &str| value.get(field).and_then(Value::as_u64);
    let of_prompt = |field: &str| value.get("prompt_tokens_details")?.get(field)?.as_u64();
    let input = count("prompt_tokens").unwrap_or(0);
    let mut output = count("completion_tokens").unwrap_or(0);
    if let Some(total) = count("total_tokens") {
        output = output.max(total.saturating_sub(input));
    }
    if input == 0 && output == 0 {
        return None;
    }
    let cached = of_prompt("cached_tokens")
        // DeepSeek; Moonshot; gateways that pass Anthropic's names on.
        .or_else(|| count("prompt_cache_hit_tokens"))
        .or_else(|| count("cached_tokens"))
        .or_else(|| count("cache_read_input_tokens"))
        .unwrap_or(0)
        .min(input);
    let written = of_prompt("cache_write_tokens")
        .or_else(|| of_prompt("cache_creation_tokens"))
        .or_else(|| count("cache_creation_input_tokens"))
        .unwrap_or(0);
    let reasoning = value
        .get("completion_tokens_details")
        .and_then(|details| details.get("reasoning_tokens")?.as_u64())
        .unwrap_or(0);
    Some(Usage {
        input,
        cached,
        cache_written: written.min(input - cached),
        output,
        reasoning: reasoning.min(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn usage_in_its_variety() {
        let numbers = |u: Usage| [u.input, u.cached, u.cache_written, u.output, u.reasoning];
        for (wire, expected) in [
            (json!({"prompt_tokens": 3, "completion_tokens": 2}), Some([3, 0, 0, 2, 0])),
            (
                json!({"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                    "completion_tokens_details": {"reasoning_tokens": 5}}),
                Some([9, 4, 2, 7, 5]),
            ),
            // Reasoning beside the completion.
            (
                json!({"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 31,
                    "completion_tokens_details": {"reasoning_tokens": 20}}),
                Some([10, 0, 0, 21, 20]),
            ),
            (
                json!({"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 3}),
                Some([5, 3, 0, 1, 0]),
            ),
            (
                json!({"prompt_tokens": 9, "completion_tokens": 1, "cache_read_input_tokens": 3,
                    "cache_creation_input_tokens": 2}),
                Some([9, 3, 2, 1, 0]),
            ),
            (
                json!({"prompt_tokens": 5, "completion_tokens": 1, "cached_tokens": 3}),
                Some([5, 3, 0, 1, 0]),
            ),
            // Parts never exceed their whole.
            (
                json!({"prompt_tokens": 5, "completion_tokens": 1,
                    "prompt_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 50},
                    "completion_tokens_details": {"reasoning_tokens": 9}}),
                Some([5, 5, 0, 1, 1]),
            ),
            (json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}), None),
            (json!({}), None),
            (json!(null), None),
            (json!({"prompt_tokens": -1, "completion_tokens": "two"}), None),
        ] {
            assert_eq!(usage(&wire).map(numbers), expected, "{wire}");
        }
    }

    #[test]
    fn reasons() {
        for (reason, expected) in [
            ("stop", Some(Finish::Stop)),
            ("eos", Some(Finish::Stop)),
            ("length", Some(Finish::Length)),
            ("tool_calls", Some(Finish::ToolCalls)),
            ("content_filter", Some(Finish::Refusal)),
            ("", None),
        ] {
            assert_eq!(finish(reason), expected, "{reason}");
        }
    }
}
