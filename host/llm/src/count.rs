//! Counting what a call used, whatever way it ends.

use std::sync::Arc;

use domain::chat::{Delta, Request, Usage};
use domain::provider::{Provider, ProviderError, Sent};

use crate::price::{Piece, each_piece};
use crate::route::Route;

/// Text that is kept before its tokens are counted: a bound on what a long answer holds here, and
/// long enough that a word cut at its edge does not show in the sum.
const UNCOUNTED_MAX_BYTES: usize = 64 << 10;
/// Tokens of an image where the provider does not say: what the dearest of the common formats
/// bill for one in full resolution.
pub(crate) const IMAGE_TOKENS: u64 = 1_600;

/// The running count of one call.
pub(crate) struct Count {
    provider: Arc<dyn Provider>,
    reported: Option<Usage>,
    served: Option<String>,
    answer: Tokens,
    thinking: Tokens,
    /// Bytes of the answer and its reasoning so far.
    bytes: u64,
    exposed: Exposed,
}

/// What the provider may bill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Exposed {
    /// A request is under way or was answered.
    now: bool,
    /// An earlier one broke off before its answer, and may have been processed.
    before: bool,
}

impl Count {
    pub fn new(route: &Route) -> Self {
        Self {
            provider: route.provider.clone(),
            reported: None,
            served: None,
            answer: Tokens::default(),
            thinking: Tokens::default(),
            bytes: 0,
            exposed: Exposed::default(),
        }
    }

    /// A request is on its way.
    pub fn sending(&mut self) {
        self.exposed.now = true;
    }

    /// It failed before its first delta. Refusals are not billed; what broke off may be.
    pub fn failed(&mut self, error: &ProviderError) {
        self.exposed.now = false;
        self.exposed.before |= match error {
            ProviderError::Connection { sent, .. } => *sent == Sent::Maybe,
            ProviderError::Malformed { .. } => true,
            ProviderError::Status { .. }
            | ProviderError::ContextExceeded { .. }
            | ProviderError::InvalidRequest(_)
            | ProviderError::UnknownModel { .. }
            | ProviderError::Other(_) => false,
        };
    }

    pub fn see(&mut self, delta: &Delta) {
        let provider = &*self.provider;
        let mut said = |tokens: &mut Tokens, text: &str| {
            self.bytes = self.bytes.saturating_add(text.len() as u64);
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

    /// Bytes of the answer and its reasoning so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What a complete answer used: the provider's word, and a count where it said nothing.
    pub fn complete(&self, request: &Request) -> Usage {
        // A report of nothing at all is none: no answer is free of input.
        self.reported.filter(|usage| *usage != Usage::default()).unwrap_or_else(|| {
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
    pub fn broken(&self, request: &Request) -> Option<Usage> {
        if !self.exposed.now && !self.exposed.before {
            return None;
        }
        let reported = self.complete(request);
        let received = self.answer.total(&*self.provider) + self.thinking.total(&*self.provider);
        Some(Usage { output: reported.output.max(received), ..reported })
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
