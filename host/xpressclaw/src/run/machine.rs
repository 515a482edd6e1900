//! Whether an agent has a machine, and which.

use std::num::NonZeroU32;

use config::{Agent, Machine};
use machine::{Folder, Machines};
use session::MachineConfig;

use crate::commands::Context;
use crate::exit::Failure;

/// MiB of a machine's memory where nobody says how much: room for a build or a notebook. What a machine
/// does not touch costs nothing.
const MEMORY_DEFAULT_MIB: u32 = 1024;

/// Bytes of a MiB.
const MIB: usize = 1 << 20;

/// What is written counts; where nothing is, there is a machine if its image is there.
pub fn config(context: &Context, agent: Option<&Agent>) -> Result<Option<MachineConfig>, Failure> {
    let folder = Folder::new(context.paths.machine());
    let written = agent.map_or(context.config.machine, |agent| agent.machine);
    let memory = match written {
        Some(Machine::Off) => return Ok(None),
        Some(Machine::On { memory_mib }) if folder.holds_an_image() => memory_mib,
        Some(Machine::On { .. }) => {
            let text = format!("there is no image of a machine in {}", folder.path().display());
            return Err(Failure::usage(text)
                .hint("name its folder with XPRESSCLAW_MACHINE_PATH, or write `machine: off`"));
        }
        None if folder.holds_an_image() => None,
        None => return Ok(None),
    };
    let mib = memory.map_or(MEMORY_DEFAULT_MIB, NonZeroU32::get);
    let machines = Machines::new(folder, context.paths.compiled());
    Ok(Some(MachineConfig { machines, memory: mib as usize * MIB }))
}
