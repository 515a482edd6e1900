//! A model call, provider-neutral: `xpressclaw:llm/types` on the host's side.

use serde::{Deserialize, Serialize};

use crate::content::Part;
use crate::money::NanoDollars;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinking {
    pub text: String,
    /// Opaque proof by the provider, given back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
    /// Like `Thinking::signature`: some providers sign calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    pub call_id: String,
    pub content: Vec<Part>,
    pub failed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssistantPart {
    Text(String),
    Thinking(Thinking),
    ToolCall(ToolCall),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    User(Vec<Part>),
    Assistant(Vec<AssistantPart>),
    Tool(ToolResult),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// A JSON Schema object.
    pub parameters: serde_json::Value,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// What `Request::extra` may set: how tokens are drawn, and labels. Everything else is refused by
/// the pipeline and again by the providers, because a field could multiply the price (`n`), choose
/// a dearer tier or another model, or change the form of the answer, past the reservation and the
/// parser.
pub const EXTRA_FIELDS: [&str; 16] = [
    "frequency_penalty",
    "logit_bias",
    "metadata",
    "min_p",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "repetition_penalty",
    "safety_identifier",
    "seed",
    "store",
    "top_a",
    "top_k",
    "top_p",
    "user",
    "verbosity",
];

/// A request after it passed the door: JSON is parsed, sizes are checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The requested model; `None` is the agent's own.
    pub model: Option<String>,
    pub system: Option<String>,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: ToolChoice,
    pub max_output_tokens: Option<u32>,
    pub temperature: Option<f64>,
    pub effort: Option<Effort>,
    pub output_schema: Option<serde_json::Value>,
    pub stop: Vec<String>,
    /// Further parameters for the provider, of [`EXTRA_FIELDS`].
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Tokens. `cached` and `cache_written` are parts of `input`, `reasoning` is a part of `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input: u64,
    #[serde(default)]
    pub cached: u64,
    #[serde(default)]
    pub cache_written: u64,
    pub output: u64,
    #[serde(default)]
    pub reasoning: u64,
}

impl Usage {
    /// The sum of two calls' usage, saturating.
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            cache_written: self.cache_written.saturating_add(other.cache_written),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    Stop,
    Length,
    ToolCalls,
    Refusal,
}

/// What a provider streams. `Finished` is the last; the pipeline adds the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    Thinking(String),
    ThinkingSignature(String),
    ToolCallStart {
        index: u32,
        id: String,
        name: String,
    },
    ToolCallArguments {
        index: u32,
        fragment: String,
    },
    ToolCallSignature {
        index: u32,
        signature: String,
    },
    /// The provider's count so far; may come before `Finished`, the last one counts.
    Usage(Usage),
    /// The model that the provider says it served, when it differs from the one asked for.
    Model(String),
    Finished(Finish),
}

/// How a completion ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub finish: Finish,
    /// The model that really answered.
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downgraded_from: Option<String>,
    pub usage: Usage,
    pub cost: NanoDollars,
}
