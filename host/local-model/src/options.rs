//! How a local model is run. Plain values: the caller reads flags, environment and files.

use std::num::NonZeroU32;
use std::thread;

/// Largest context window taken by default, in tokens. The cache of keys and values grows with it
/// (23 KiB a token for a model of 135 million parameters, 150 KiB for one of 4 billion), and a
/// laptop's CPU takes minutes to read more than this.
pub const CONTEXT_MAX_DEFAULT: u32 = 8_192;
/// Output tokens that a model is offered with by default: long enough for a file of code, and it
/// leaves three quarters of the default window to the history.
pub const OUTPUT_MAX_DEFAULT: u32 = 2_048;
/// Most threads taken by default: token generation is bound by memory bandwidth, which eight
/// cores exhaust on the machines people own.
pub const THREADS_MAX_DEFAULT: usize = 8;

/// Answers written at once by default. Reading the weights from memory is most of the work of a
/// token, and a batch reads them once for all its answers; beyond four, a CPU's arithmetic is what
/// the next answer waits for, and the shared context window becomes narrow.
pub const PARALLEL_DEFAULT: u32 = 4;
/// Most answers written at once: each gets a token of every batch, and half of a batch must be left
/// for prompts.
pub const PARALLEL_MAX: u32 = 16;

/// Where the sampler's randomness comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seed {
    /// Another one for every answer.
    #[default]
    Fresh,
    /// The same for every answer: with the same model, machine and history the answer repeats.
    Fixed(u32),
}

/// Options of a [`crate::LocalModel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name that users write; the file's stem is an alias.
    pub name: String,
    /// Threads that compute, at least 1. More threads than idle cores are far slower than one.
    pub threads: NonZeroU32,
    /// Context window in tokens; the model's own when that is smaller.
    pub context: NonZeroU32,
    /// Most output tokens that the model is offered with.
    pub max_output: u32,
    /// Layers computed on a GPU; above 0 only in a program that was built for one.
    pub gpu_layers: u32,
    /// Answers written at once, at most [`PARALLEL_MAX`]; further calls wait in their order.
    pub parallel: NonZeroU32,
    pub seed: Seed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "local".to_owned(),
            threads: default_threads(),
            context: NonZeroU32::new(CONTEXT_MAX_DEFAULT).unwrap_or(NonZeroU32::MIN),
            max_output: OUTPUT_MAX_DEFAULT,
            gpu_layers: 0,
            parallel: NonZeroU32::new(PARALLEL_DEFAULT).unwrap_or(NonZeroU32::MIN),
            seed: Seed::Fresh,
        }
    }
}

/// Half of the logical processors, at most [`THREADS_MAX_DEFAULT`]: two threads of one core share
/// its vector unit, and the agents that wait for the answer need the rest.
fn default_threads() -> NonZeroU32 {
    let logical = thread::available_parallelism().map_or(1, |n| n.get());
    let threads = logical.div_ceil(2).min(THREADS_MAX_DEFAULT);
    u32::try_from(threads).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}
