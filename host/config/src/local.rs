//! `local`: the model that runs on this machine.

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::field::{Field, Keys};

/// More than any machine has cores; a larger number is a slip.
const THREADS_MAX: u64 = 1_024;
/// Tokens. Below, not even a system text fits.
const CONTEXT_MIN: u64 = 512;
/// Tokens: the largest context that any open model is trained for, and then some.
const CONTEXT_MAX: u64 = 16 << 20;

/// Layers on a GPU: more than any model has, and the usual way to say "all".
const GPU_LAYERS_MAX: u64 = 10_000;
/// Answers at once; what `local-model` can put into one batch.
const PARALLEL_MAX: u64 = 16;

/// How the local model runs; `None` leaves a choice to the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// `model`: the path of a GGUF file.
    pub model: Option<PathBuf>,
    /// `threads`: those that compute. More than there are idle cores is far slower than one.
    pub threads: Option<NonZeroU32>,
    /// `context_window`: in tokens. Memory grows with it, and answers in work share it.
    pub context_window: Option<NonZeroU32>,
    /// `gpu_layers`: only in a program that was built for a GPU.
    pub gpu_layers: Option<u32>,
    /// `parallel`: answers written at once; further calls wait.
    pub parallel: Option<NonZeroU32>,
}

pub(crate) const KEYS: Keys =
    Keys { known: &["model", "threads", "context_window", "gpu_layers", "parallel"], later: &[] };

impl Local {
    pub(crate) fn read(field: &Field<'_>) -> Self {
        let Some(table) = field.table(&KEYS) else { return Self::default() };
        let number = |name, range| {
            table.get(name).and_then(|f| f.number::<u32>(range)).and_then(NonZeroU32::new)
        };
        Self {
            model: table.get("model").and_then(|f| f.path()),
            threads: number("threads", 1..=THREADS_MAX),
            context_window: number("context_window", CONTEXT_MIN..=CONTEXT_MAX),
            gpu_layers: table.get("gpu_layers").and_then(|f| f.number::<u32>(0..=GPU_LAYERS_MAX)),
            parallel: number("parallel", 1..=PARALLEL_MAX),
        }
    }
}
