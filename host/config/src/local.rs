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

/// How the local model runs; `None` leaves a choice to the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// `model`: the path of a GGUF file.
    pub model: Option<PathBuf>,
    /// `threads`: those that compute. More than there are idle cores is far slower than one.
    pub threads: Option<NonZeroU32>,
    /// `context_window`: in tokens.
    pub context_window: Option<NonZeroU32>,
}

pub(crate) const KEYS: Keys = Keys { known: &["model", "threads", "context_window"], later: &[] };

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
        }
    }
}
