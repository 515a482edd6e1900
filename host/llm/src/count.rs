//! Counting what a call used, whatever way it ends.

use std::sync::Arc;

use domain::chat::{Delta, Request, Usage};
use domain::provider::{Call, Provider, ProviderError, Sent};
use tokio::time::Instant;

use crate::price::{Piece, each_piece};
use crate::route::Route;

/// Text that is kept before its tokens are counted: a bound on what a long answer holds here, and
/// long enough that a word cut at its edge does not show in the sum.
const UNCOUNTED_MAX_BYTES: usize = 64 << 10;
/// Tokens of an image where the provider does not say: what the dearest of the common formats
/// bill for one in full resolution.
pub(crate) const IMAGE_TOKENS: u64 = 1_600;

/// Text that is kept before the lower bound of its tokens is counted: a few dozen tokens.
const FLOOR_BYTES: usize = 512;
/// What a model can have written at most before its first word arrives here, reasoning that it does
/// not show: above the speed of hosted models of the day.
const TOKENS_A_SECOND: u128 = 300;
/// Statuses of those who stopped waiting for a model that may have gone on.
const GAVE_UP: [u16; 4] = [408, 499, 504, 524];

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Complete,
    /// It was given up, or broke off.
    Broken,
}

/// The running count of one call.
pub(crate) struct Count {
    provider: Arc<dyn Provider>,
    reported: Option<Usage>,
    served: Option<String>,
    answer: Tokens,
    thinking: Tokens,
    floor: Floor,
    /// Since when a request is under way or was answered.
    sent: Option<Instant>,
    /// What earlier requests may have used that broke off before their answer.
    lost: Usage,
}

impl Count {
    pub fn new(route: &Route) -> Self {
        Self {
            provider: route.provider.clone(),
            reported: None,
            served: None,
            answer: Tokens::default(),
            thinking: Tokens::default(),
            floor: Floor::default(),
            sent: None,
            lost: Usage::default(),
        }
    }

    /// A request is on its way.
    pub fn sending(&mut self) {
        self.sent = Some(Instant::now());
    }

    /// It failed before its first delta. What a provider refuses it does not bill; what broke off, or
    /// what a gateway lost patience with, it may have read, and answered for as long as it took.
    pub fn failed(&mut self, error: &ProviderError, call: &Call) {
        let Some(sent) = self.sent.take() else { return };
        let billed = match error {
            ProviderError::Connection { sent, .. } => *sent == Sent::Maybe,
            ProviderError::Malformed { .. } => true,
            ProviderError::Status { status, .. } => GAVE_UP.contains(status),
            ProviderError::ContextExceeded { .. }
            | ProviderError::InvalidRequest(_)
            | ProviderError::UnknownModel { .. }
            | ProviderError::Other(_) => false,
        };
        if billed {
            let written = sent.elapsed().as_millis() * TOKENS_A_SECOND / 1_000;
            let written = u64::try_from(written).unwrap_or(u64::MAX);
            let output = written.min(call.max_output_tokens.into());
            let input = self.input(&call.request);
            self.lost = self.lost.plus(Usage { input, output, ..Usage::default() });
        }
    }

    /// What earlier attempts may have used.
    pub fn lost(&self) -> Usage {
        self.lost
    }

    pub fn see(&mut self, delta: &Delta) {
        let provider = &*self.provider;
        let mut said = |tokens: &mut Tokens, text: &str| {
            self.floor.add(provider, text);
            tokens.add(provider, text);
        };
        match delta {
            Delta::Text(text) | Delta::ToolCallArguments { fragment: text, .. } => {
                said(&mut self.answer, text);
            }
            Delta::ToolCallStart { name, .. } => said(&mut self.answer, name),
            Delta::Thinking(text) => said(&mut self.thinking, text),
            Delta::Usage(usage) => self.reported = Some(*usage),
            Delta::Model(model) => self.served = Some(model.clone()),
            Delta::ThinkingSignature(_) | Delta::ToolCallSignature { .. } | Delta::Finished(_) => {}
        }
    }

    /// Tokens that the answer and its reasoning have for certain.
    pub fn at_least(&self) -> u64 {
        self.floor.tokens
    }

    /// Whether what a call used is known without counting texts, which may take a while.
    pub fn is_known(&self, how: How) -> bool {
        match how {
            How::Complete => self.report().is_some(),
            How::Broken => self.sent.is_none(),
        }
    }

    /// What was used; `None` when nothing can have been billed.
    pub fn used(&self, request: &Request, how: How) -> Option<Usage> {
        match how {
            How::Complete => Some(self.complete(request)),
            How::Broken => self.broken(request),
        }
    }

    /// What a complete answer used: the provider's word, and a count where it said nothing; and what
    /// was lost before.
    fn complete(&self, request: &Request) -> Usage {
        self.answered(request).plus(self.lost)
    }

    /// A report of nothing at all is none: no answer is free of input.
    fn report(&self) -> Option<Usage> {
        self.reported.filter(|usage| *usage != Usage::default())
    }

    fn answered(&self, request: &Request) -> Usage {
        self.report().unwrap_or_else(|| {
            let reasoning = self.thinking.total(&*self.provider);
            Usage {
                input: self.input(request),
                output: self.answer.total(&*self.provider).saturating_add(reasoning),
                reasoning,
                ..Usage::default()
            }
        })
    }

    /// What an answer used that broke off; `None` when nothing can have been billed. A report may
    /// be from the middle of the stream, so what was received since counts as well.
    fn broken(&self, request: &Request) -> Option<Usage> {
        if self.sent.is_none() {
            return (self.lost != Usage::default()).then_some(self.lost);
        }
        let reported = self.answered(request);
        let received = self.answer.total(&*self.provider) + self.thinking.total(&*self.provider);
        let used = Usage { output: reported.output.max(received), ..reported };
        Some(used.plus(self.lost))
    }

    /// The model that really answered, named like the one that was asked for.
    pub fn served(&self, route: &Route) -> String {
        match &self.served {
            Some(served) => {
                let prefix = route.info.name.strip_suffix(&route.model).unwrap_or_default();
                format!("{prefix}{served}")
            }
            None => route.info.name.clone(),
        }
    }

    fn input(&self, request: &Request) -> u64 {
        let mut tokens = 0u64;
        each_piece(request, &mut |piece| {
            tokens = tokens.saturating_add(match piece {
                Piece::Text(text) => self.provider.count_tokens(text),
                Piece::Json(json) => self.provider.count_tokens(&json.to_string()),
                Piece::Blob(_) => IMAGE_TOKENS,
                // Opaque to the model's tokenizer, and not billed as text.
                Piece::Signature(_) => 0,
            });
        });
        tokens
    }
}

/// A lower bound on the tokens of a growing text, kept up as it comes.
#[derive(Default)]
struct Floor {
    tokens: u64,
    uncounted: String,
}

impl Floor {
    fn add(&mut self, provider: &dyn Provider, text: &str) {
        self.uncounted.push_str(text);
        if self.uncounted.len() >= FLOOR_BYTES {
            // A word that is cut at the edge is a token more than it was.
            let tokens = provider.count_at_least(&self.uncounted).saturating_sub(1);
            self.tokens = self.tokens.saturating_add(tokens);
            self.uncounted.clear();
        }
    }
}

/// Tokens of a growing text.
#[derive(Default)]
struct Tokens {
    counted: u64,
    uncounted: String,
}

impl Tokens {
    fn add(&mut self, provider: &dyn Provider, text: &str) {
        self.uncounted.push_str(text);
        if self.uncounted.len() >= UNCOUNTED_MAX_BYTES {
            self.counted = self.total(provider);
            self.uncounted.clear();
        }
    }

    fn total(&self, provider: &dyn Provider) -> u64 {
        if self.uncounted.is_empty() {
            return self.counted;
        }
        self.counted.saturating_add(provider.count_tokens(&self.uncounted))
    }
}
