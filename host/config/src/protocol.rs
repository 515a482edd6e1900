//! What a provider speaks, and how it differs from others that say they speak the same.

use crate::field::{Field, Table};
use crate::problem::Fault;

/// What a provider speaks, with the habits that only servers of that kind have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Chat completions as OpenAI defines them.
    OpenAi(Habits),
    /// Messages as Anthropic defines them.
    Anthropic,
}

/// How a server of chat completions differs; `None` is for the provider to know by its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// `output_limit`: the field that carries the limit of an answer.
    pub output_limit: Option<OutputLimit>,
    /// `stream_options`: whether usage is asked for with it; `false` for servers that refuse it.
    pub stream_options: Option<bool>,
    /// `reasoning_history`: what becomes of the reasoning in a history.
    pub reasoning_history: Option<ReasoningHistory>,
}

/// The field that carries the limit of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimit {
    MaxTokens,
    MaxCompletionTokens,
}

/// What becomes of the reasoning in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningHistory {
    /// `none`.
    Dropped,
    /// `reasoning_content`, in turns that called tools.
    ReasoningContent,
}

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// As much as it finds right, guided by the effort.
    Adaptive,
    /// Within a budget of tokens that follows from the effort.
    Budget,
}

/// The bare name of what a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    OpenAi,
    Anthropic,
}

impl Protocol {
    pub fn read(name: &str) -> Result<Self, &'static str> {
        match name {
            "openai" => Ok(Self::OpenAi),
            "anthropic" => Ok(Self::Anthropic),
            _ => Err("write `openai`, for anything that speaks chat completions, or `anthropic`"),
        }
    }
}

impl ProviderKind {
    pub(crate) fn read(protocol: Protocol, table: &Table<'_>) -> Self {
        let of_openai = |name| of_openai(protocol, table, name);
        let habits = Habits {
            output_limit: of_openai("output_limit").and_then(|f| f.parsed(OutputLimit::read)),
            stream_options: of_openai("stream_options").and_then(|f| f.flag()),
            reasoning_history: of_openai("reasoning_history")
                .and_then(|f| f.parsed(ReasoningHistory::read)),
        };
        match protocol {
            Protocol::OpenAi => Self::OpenAi(habits),
            Protocol::Anthropic => Self::Anthropic,
        }
    }
}

impl OutputLimit {
    pub(crate) fn read(name: &str) -> Result<Self, &'static str> {
        match name {
            "max_tokens" => Ok(Self::MaxTokens),
            "max_completion_tokens" => Ok(Self::MaxCompletionTokens),
            _ => Err("write `max_tokens` or `max_completion_tokens`"),
        }
    }
}

impl ReasoningHistory {
    fn read(name: &str) -> Result<Self, &'static str> {
        match name {
            "none" => Ok(Self::Dropped),
            "reasoning_content" => Ok(Self::ReasoningContent),
            _ => Err("write `none` or `reasoning_content`"),
        }
    }
}

impl Thinking {
    pub(crate) fn read(name: &str) -> Result<Self, &'static str> {
        match name {
            "adaptive" => Ok(Self::Adaptive),
            "budget" => Ok(Self::Budget),
            _ => Err("write `adaptive` or, for models before Claude 4.6, `budget`"),
        }
    }
}

/// A key that only providers of `type: openai` have; elsewhere it is a mistake, which is noted.
pub(crate) fn of_openai<'a>(
    protocol: Protocol,
    table: &Table<'a>,
    name: &'static str,
) -> Option<Field<'a>> {
    only(protocol == Protocol::OpenAi, "openai", table.get(name))
}

/// The same for `type: anthropic`.
pub(crate) fn of_anthropic<'a>(
    protocol: Protocol,
    table: &Table<'a>,
    name: &'static str,
) -> Option<Field<'a>> {
    only(protocol == Protocol::Anthropic, "anthropic", table.get(name))
}

fn only<'a>(here: bool, kind: &str, field: Option<Field<'a>>) -> Option<Field<'a>> {
    let field = field?;
    if !here {
        let reason = format!("only providers of `type: {kind}` have this; remove it");
        field.report(Fault::Value { reason });
    }
    here.then_some(field)
}
