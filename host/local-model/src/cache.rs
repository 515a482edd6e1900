//! The context of a model: computes batches of tokens and keeps their keys and values for reuse.
//!
//! Carries out the plans of [`crate::sequences`] on llama.cpp's cache. Used by `schedule` only.

use std::num::NonZeroU32;

use domain::SessionId;
use domain::provider::ProviderError;
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

use crate::backend::backend;
use crate::error::{LoadError, PROVIDER};
use crate::sequences::{self, Rewind, Sequences};
use crate::share::BATCH;
use crate::worker::Setup;

/// Tokens of one sequence in a batch: the next after those that it holds.
pub(crate) struct Piece<'a> {
    pub sequence: usize,
    pub tokens: &'a [LlamaToken],
    /// What follows the last one is asked for.
    pub predict: bool,
}

/// How a batch ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// For each piece, where its last token stands in the batch.
    Computed(Vec<i32>),
    /// The cells do not suffice, even without the sequences that nobody is busy in. Nothing was
    /// computed.
    NoRoom,
}

pub(crate) struct Cache<'m> {
    context: LlamaContext<'m>,
    sequences: Sequences<LlamaToken>,
    batch: LlamaBatch<'static>,
}

impl<'m> Cache<'m> {
    /// Reserves the memory for one whole context window.
    pub(crate) fn new(setup: &Setup, model: &'m LlamaModel) -> Result<Self, LoadError> {
        let threads = i32::try_from(setup.options.threads.get()).unwrap_or(i32::MAX);
        let batch = u32::try_from(BATCH).unwrap_or(u32::MAX);
        let parallel = setup.parallel();
        let parameters = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(setup.window))
            .with_n_batch(batch)
            .with_n_ubatch(batch)
            .with_n_seq_max(u32::try_from(sequences::count(parallel)).unwrap_or(1))
            .with_kv_unified(true)
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_no_perf(true);
        let context = model
            .new_context(backend()?, parameters)
            .map_err(|_| LoadError::Context { context: setup.window })?;
        let rewind = if model.is_recurrent() || model.is_hybrid() {
            Rewind::Nothing
        } else {
            Rewind::AnyToken
        };
        let sequences = Sequences::new(rewind, parallel);
        Ok(Self { context, sequences, batch: LlamaBatch::new(BATCH, 1) })
    }

    pub(crate) fn context(&self) -> &LlamaContext<'m> {
        &self.context
    }

    /// Whether one answer can begin with what another one read.
    pub(crate) fn can_share(&self) -> bool {
        self.sequences.can_share()
    }

    /// Finds a sequence for an answer, which is busy in it from then on. Returns it and how many of
    /// the tokens it holds.
    pub(crate) fn begin(&mut self, session: &SessionId, tokens: &[LlamaToken]) -> (usize, usize) {
        let plan = self.sequences.plan(session, tokens);
        let done = match plan.copy_from {
            Some(source) => {
                self.clear(plan.sequence) && self.share(source, plan.sequence, plan.kept)
            }
            None => self.truncate(plan.sequence, plan.kept),
        };
        if done {
            return (plan.sequence, plan.kept);
        }
        // The model's cache cannot be cut there (a sliding window that moved on): start over.
        self.drop_sequence(plan.sequence);
        (plan.sequence, 0)
    }

    /// The answer in a sequence ended; what was computed stays reusable.
    pub(crate) fn end(&mut self, sequence: usize) {
        self.sequences.release(sequence);
    }

    /// Computes pieces of different sequences in one batch of at most [`BATCH`] tokens. Makes room
    /// by dropping the least recently used sequences.
    ///
    /// # Errors
    /// When llama.cpp cannot compute; then the sequences of all pieces are empty.
    pub(crate) fn decode(&mut self, pieces: &[Piece<'_>]) -> Result<Decoded, ProviderError> {
        let failed = |reason: String| ProviderError::Other(format!("{PROVIDER}: {reason}"));
        let mut last = Vec::with_capacity(pieces.len());
        self.batch.clear();
        for piece in pieces {
            let begin = self.sequences.len(piece.sequence);
            for (i, token) in piece.tokens.iter().enumerate() {
                let position = i32::try_from(begin + i)
                    .map_err(|_| failed("the context is too long".to_owned()))?;
                let predict = piece.predict && i + 1 == piece.tokens.len();
                self.batch
                    .add(*token, position, &[id(piece.sequence)], predict)
                    .map_err(|e| failed(e.to_string()))?;
            }
            last.push(self.batch.n_tokens() - 1);
        }
        loop {
            match self.context.decode(&mut self.batch) {
                Ok(()) => break,
                Err(DecodeError::NoKvCacheSlot) => match self.sequences.evictable() {
                    Some(oldest) => self.drop_sequence(oldest),
                    None => return Ok(Decoded::NoRoom),
                },
                Err(error) => {
                    pieces.iter().for_each(|piece| self.drop_sequence(piece.sequence));
                    return Err(failed(format!("llama.cpp could not compute: {error}")));
                }
            }
        }
        for piece in pieces {
            self.sequences.extend(piece.sequence, piece.tokens);
        }
        Ok(Decoded::Computed(last))
    }

    fn drop_sequence(&mut self, sequence: usize) {
        // Removing a whole sequence never fails.
        let _ = self.clear(sequence);
        self.sequences.forget(sequence);
    }

    fn clear(&mut self, sequence: usize) -> bool {
        self.context.kv_cache_seq_rm(id(sequence), None, None).is_ok()
    }

    fn truncate(&mut self, sequence: usize, kept: usize) -> bool {
        let kept = u32::try_from(kept).ok();
        kept.is_some() && self.context.kv_cache_seq_rm(id(sequence), kept, None).is_ok()
    }

    fn share(&mut self, source: usize, sequence: usize, kept: usize) -> bool {
        let kept = u32::try_from(kept).ok();
        kept.is_some()
            && self.context.copy_kv_cache_seq(id(source), id(sequence), None, kept).is_ok()
    }
}

/// llama.cpp's number of a sequence; there are only [`sequences::count`].
fn id(sequence: usize) -> i32 {
    i32::try_from(sequence).unwrap_or(0)
}
