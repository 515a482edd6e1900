//! The scripted provider: a file of model turns, played one a call. For tests and demos; its
//! model is named `script:FILE`, so that nobody takes its answers for a model's.
//!
//! A script is JSON lines; blank lines are skipped. One turn a line:
//!
//! ```json
//! {"thinking": "…", "text": "…", "tool_calls": [{"name": "read", "arguments": {"path": "a"}}]}
//! ```
//!
//! - `text`, `thinking`: streamed word by word.
//! - `tool_calls`: `arguments` is an object, or a string that is streamed as it stands (so that a
//!   model that writes broken JSON can be played). Ids are `call_1`, `call_2`, …, counted on from
//!   the history, so that they stay unique in a conversation.
//! - `usage`: `{"input": 1, "cached": 0, "cache_written": 0, "output": 1, "reasoning": 0}`, tokens;
//!   `cached` and `cache_written` are parts of `input`, `reasoning` is a part of `output`. What is
//!   absent is counted: a quarter of the bytes, rounded up.
//! - `delay_ms`: the wait before the first delta (or before the error).
//! - `error`: `{"status": 429, "message": "…", "retry_after_ms": 50}`; without a `status` it is a
//!   broken connection. It comes before the first delta and stands alone, or with
//!   `"after_text": true` after everything else of the turn.
//! - `price`: `{"input": "$3", "output": "$15", "cached": "$0.30", "cache_write": "$3.75"}`,
//!   dollars per million tokens as text, at most nine decimals. `cached` and `cache_write` are
//!   `input`'s unless given. It holds for the whole script wherever it stands, also on a line of
//!   its own. Without a price the script is free.
//!
//! Turns are played in the order of the calls to this provider, from the first line, whoever
//! calls: the position lives in the provider, not in the conversation, because compaction, forks
//! and side calls make a history's length a bad guide to what comes next. A second process (also
//! one that continues a session) starts at the first line again. Answers are played as written,
//! output limits do not shorten them: a provider that overshoots can be played, too.

mod parse;
mod play;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::Price;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError, Sent};

pub use parse::ScriptError;
use parse::{Failure, Moment, Turn};

/// A script reads nothing, so no history is too long for it; a million tokens is what the largest
/// models take and keeps sums of tokens readable.
const CONTEXT_WINDOW: u32 = 1_000_000;
/// What is reserved for one answer when the caller sets no limit: that of the assumed facts of
/// other models, so that budgets behave alike.
const MAX_OUTPUT_TOKENS: u32 = 16_384;

/// A parsed script and how far it was played. Safe to share between threads: every call gets the
/// next turn, no turn is played twice.
#[derive(Debug)]
pub struct Script {
    /// `script:FILE`
    model: String,
    price: Price,
    turns: Vec<Turn>,
    next: AtomicUsize,
}

impl Script {
    /// Reads a script. Its model is `script:` and the file's name (without folders: those would
    /// tell a guest about the host). Blocks.
    pub fn open(path: &Path) -> Result<Self, ScriptError> {
        let text = parse::read(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Self::parse(&name, &text)
    }

    /// Parses a script; `name` is what messages and the model's name call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let parsed = parse::parse(name, text)?;
        Ok(Self {
            model: format!("script:{name}"),
            price: parsed.price.unwrap_or(Price::FREE),
            turns: parsed.turns,
            next: AtomicUsize::new(0),
        })
    }

    /// The model's name, `script:FILE`.
    pub fn model_name(&self) -> &str {
        &self.model
    }

    fn next_turn(&self) -> Result<&Turn, ProviderError> {
        let played = self.next.fetch_add(1, Ordering::Relaxed);
        self.turns.get(played).ok_or_else(|| {
            // The counter must not wrap, however often an exhausted script is asked.
            self.next.store(self.turns.len(), Ordering::Relaxed);
            let name = self.model.strip_prefix("script:").unwrap_or(&self.model);
            let turns = self.turns.len();
            let unit = if turns == 1 { "turn" } else { "turns" };
            ProviderError::Other(format!(
                "the script `{name}` has {turns} {unit} and was asked for one more; \
                 add a line to it"
            ))
        })
    }

    fn failure(&self, failure: &Failure) -> ProviderError {
        let (provider, reason) = (self.model.clone(), failure.message.clone());
        match failure.status {
            Some(status) => ProviderError::Status {
                provider,
                status,
                reason,
                retry_after_ms: failure.retry_after_ms,
            },
            None => ProviderError::Connection { provider, reason, sent: Sent::Maybe },
        }
    }
}

#[async_trait]
impl Provider for Script {
    fn name(&self) -> &str {
        "script"
    }

    /// A script is one model; it goes by `script:FILE` and by `FILE`.
    fn model(&self, model: &str) -> Option<ModelInfo> {
        if model != self.model && self.model.strip_prefix("script:") != Some(model) {
            return None;
        }
        Some(ModelInfo {
            name: self.model.clone(),
            context_window: CONTEXT_WINDOW,
            max_output_tokens: MAX_OUTPUT_TOKENS,
            images: true,
            reasoning: true,
            price: Some(self.price),
            tiers: Vec::new(),
        })
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let turn = self.next_turn()?.clone();
        let delay = Duration::from_millis(turn.delay_ms);
        let failure = turn.error.as_ref().map(|failure| (failure.moment, self.failure(failure)));
        match failure {
            Some((Moment::BeforeText, error)) => {
                tokio::time::sleep(delay).await;
                Err(error)
            }
            failure => {
                let error = failure.map(|(_, error)| error);
                Ok(play::deltas(&turn, &call.request, delay, error))
            }
        }
    }
}
