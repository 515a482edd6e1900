//! The context of a model: computes tokens and keeps their keys and values for reuse.
//!
//! Carries out the plans of [`crate::sequences`] on llama.cpp's cache. Used by the engine only.

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
use crate::sequences::{Rewind, SEQUENCES_MAX, Sequences};
use crate::worker::Setup;

/// Tokens computed at once while reading a prompt: a cancelled call gives up the thread after at
/// most this many (half a second for a small model on one core), and larger batches are hardly
/// faster on a CPU.
const BATCH: usize = 64;

/// How computing tokens ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Computed {
    All,
    Cancelled,
    /// The window is full.
    Full,
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
        let parameters = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(setup.window))
            .with_n_batch(batch)
            .with_n_ubatch(batch)
            .with_n_seq_max(u32::try_from(SEQUENCES_MAX).unwrap_or(1))
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
        Ok(Self { context, sequences: Sequences::new(rewind), batch: LlamaBatch::new(BATCH, 1) })
    }

    pub(crate) fn context(&self) -> &LlamaContext<'m> {
        &self.context
    }

    /// Finds a sequence for a prompt. Returns it and how many of the prompt's tokens it holds.
    pub(crate) fn begin(&mut self, session: &SessionId, prompt: &[LlamaToken]) -> (usize, usize) {
        let plan = self.sequences.plan(session, prompt);
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

    /// Computes tokens at the end of a sequence; afterwards the context predicts what follows.
    /// Makes room by dropping the least recently used sequences. Asks `cancelled` before each
    /// batch; what was computed until then stays reusable.
    pub(crate) fn compute(
        &mut self,
        sequence: usize,
        tokens: &[LlamaToken],
        cancelled: impl Fn() -> bool,
    ) -> Result<Computed, ProviderError> {
        let failed = |reason: String| ProviderError::Other(format!("{PROVIDER}: {reason}"));
        let id = id(sequence);
        for chunk in tokens.chunks(BATCH) {
            if cancelled() {
                return Ok(Computed::Cancelled);
            }
            self.batch.clear();
            for (i, token) in chunk.iter().enumerate() {
                let position = i32::try_from(self.sequences.len(sequence) + i)
                    .map_err(|_| failed("the context is too long".to_owned()))?;
                self.batch
                    .add(*token, position, &[id], i + 1 == chunk.len())
                    .map_err(|e| failed(e.to_string()))?;
            }
            loop {
                match self.context.decode(&mut self.batch) {
                    Ok(()) => break,
                    Err(DecodeError::NoKvCacheSlot) => match self.sequences.evictable(sequence) {
                        Some(oldest) => self.drop_sequence(oldest),
                        None => return Ok(Computed::Full),
                    },
                    Err(error) => {
                        self.drop_sequence(sequence);
                        return Err(failed(format!("llama.cpp could not compute: {error}")));
                    }
                }
            }
            self.sequences.extend(sequence, chunk);
        }
        Ok(Computed::All)
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

/// llama.cpp's number of a sequence; there are only [`SEQUENCES_MAX`].
fn id(sequence: usize) -> i32 {
    i32::try_from(sequence).unwrap_or(0)
}
