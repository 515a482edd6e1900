//! `machine`: the Linux machine that an agent's commands run in.

use std::num::NonZeroU32;

use crate::field::{Field, Keys};
use crate::problem::Fault;

/// MiB. Below, the system itself has no room to start programs.
const MEMORY_MIN: u64 = 192;
/// MiB: with what the computer needs beside it, the most that an address space of 32 bits holds.
const MEMORY_MAX: u64 = 1_920;

/// Whether an agent has a machine, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// `off`.
    Off,
    /// `on`, or a map.
    On {
        /// `memory_mib`: of the machine, its temporary files included. What it does not touch costs
        /// nothing. `None` leaves the choice to the program.
        memory_mib: Option<NonZeroU32>,
    },
}

pub(crate) const KEYS: Keys = Keys { known: &["memory_mib"], later: &[] };

impl Machine {
    pub(crate) fn read(field: &Field<'_>) -> Option<Self> {
        if let Some(word) = field.word() {
            return match word {
                "on" => Some(Self::On { memory_mib: None }),
                "off" => Some(Self::Off),
                _ => {
                    let reason = "write `on`, `off`, or a map with `memory_mib`".to_owned();
                    field.report(Fault::Value { reason });
                    None
                }
            };
        }
        let table = field.table(&KEYS)?;
        let memory = table.get("memory_mib");
        let memory = memory.and_then(|field| field.number::<u32>(MEMORY_MIN..=MEMORY_MAX));
        Some(Self::On { memory_mib: memory.and_then(NonZeroU32::new) })
    }
}
