//! What one event of the stream says. Lenient in what is not acted upon: new kinds of events, blocks
//! and deltas may come at any time, says the API, and are skipped.

use domain::chat::{Finish, Usage};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        index: u32,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u32,
        delta: Piece,
    },
    ContentBlockStop {
        index: u32,
    },
    MessageDelta {
        delta: End,
        usage: Option<WireUsage>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// `ping`, and whatever comes later.
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Start {
    pub model: Option<String>,
    pub usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        /// Empty, and filled by deltas; servers that do not stream it send it whole.
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the names are the API's")]
pub(super) enum Piece {
    TextDelta {
        text: String,
    },
    ThinkingDelta {
        thinking: String,
    },
    SignatureDelta {
        signature: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    #[serde(other)]
    OtherDelta,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct End {
    pub stop_reason: Option<String>,
}

/// Counts, cumulative: a later event has them all again or some of them, and none is smaller, but for
/// the zeros of servers that have forgotten the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct WireUsage {
    pub input_tokens: Option<u64>,
    pub cache_creation_input_tokens: Option<u64>,
    pub cache_read_input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct OutputDetails {
    pub thinking_tokens: Option<u64>,
}

impl WireUsage {
    pub fn then(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.max(self.input_tokens),
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .max(self.cache_creation_input_tokens),
            cache_read_input_tokens: later
                .cache_read_input_tokens
                .max(self.cache_read_input_tokens),
            output_tokens: later.output_tokens.max(self.output_tokens),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
        }
    }

    /// As the domain counts: the API's three counts of input do not overlap, ours are parts of one.
    /// `None` for a report of nothing.
    pub fn counted(self) -> Option<Usage> {
        let cached = self.cache_read_input_tokens.unwrap_or(0);
        let written = self.cache_creation_input_tokens.unwrap_or(0);
        let plain = self.input_tokens.unwrap_or(0);
        let output = self.output_tokens.unwrap_or(0);
        let thinking = self.output_tokens_details.and_then(|details| details.thinking_tokens);
        let usage = Usage {
            input: plain.saturating_add(cached).saturating_add(written),
            cached,
            cache_written: written,
            output,
            reasoning: thinking.unwrap_or(0).min(output),
        };
        (usage.input > 0 || usage.output > 0).then_some(usage)
    }
}

/// Why the answer ended.
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        // `end_turn`, `stop_sequence`, `pause_turn` and whatever else is a normal end.
        _ => Finish::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_counts_of_input_are_one_with_parts() {
        let start = WireUsage {
            input_tokens: Some(10),
            cache_creation_input_tokens: Some(20),
            cache_read_input_tokens: Some(300),
            output_tokens: Some(1),
            output_tokens_details: None,
        };
        let end = WireUsage {
            input_tokens: Some(0),
            output_tokens: Some(42),
            output_tokens_details: Some(OutputDetails { thinking_tokens: Some(30) }),
            ..WireUsage::default()
        };
        let usage = start.then(end).counted().unwrap();
        assert_eq!([usage.input, usage.cached, usage.cache_written], [330, 300, 20]);
        assert_eq!([usage.output, usage.reasoning], [42, 30]);
        assert_eq!(WireUsage::default().counted(), None);
        let lies = WireUsage {
            input_tokens: Some(u64::MAX),
            cache_read_input_tokens: Some(9),
            ..WireUsage::default()
        };
        assert_eq!(lies.counted().map(|usage| usage.input), Some(u64::MAX));
    }

    #[test]
    fn reasons() {
        for (reason, expected) in [
            ("end_turn", Finish::Stop),
            ("stop_sequence", Finish::Stop),
            ("max_tokens", Finish::Length),
            ("model_context_window_exceeded", Finish::Length),
            ("tool_use", Finish::ToolCalls),
            ("refusal", Finish::Refusal),
            ("tomorrow's", Finish::Stop),
        ] {
            assert_eq!(finish(reason), expected, "{reason}");
        }
    }

    #[test]
    fn what_is_not_known_is_skipped() {
        for text in [
            r#"{"type":"ping"}"#,
            r#"{"type":"tomorrow","with":{"fields":1}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"x"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}"#,
        ] {
            assert!(serde_json::from_str::<Event>(text).is_ok(), "{text}");
        }
    }
}
