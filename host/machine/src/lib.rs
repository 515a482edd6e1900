//! Machines of sessions, and the door to them: `xpressclaw:machine`.
//!
//! Why it exists: a harness asks for commands and terminals, and somebody must start the computer with the
//! agent inside that runs them. Called by the session. It must never let a machine that misbehaves be
//! more than an error of the call that met it, and never start a command that was not allowed.
//!
//! An agent without a machine gets `no-machine` from every function, which is constant for a session: a
//! harness says so to its model instead of pretending.
//!
//! | module | what |
//! |---|---|
//! | `image`, `machines` | what all machines of a process share |
//! | `machine`, `share` | the machine of one session |
//! | `shell`, `command`, `process` | the door to commands |
//! | `terminal`, `attached`, `watch` | the door to the terminal, for harnesses and for users |
//! | `checkpoint` | the door to checkpoints |

mod attached;
mod checkpoint;
mod command;
mod error;
mod image;
mod machine;
mod machines;
mod process;
mod share;
mod shell;
mod terminal;
mod watch;

use std::sync::Arc;

use approvals::Approvals;
use harness::Cancellation;
use tokio::sync::Semaphore;
use wasmtime::component::{HasData, ResourceTable};

pub use image::{Folder, ImageError};
pub use machine::{KERNEL_ARGUMENTS, Machine, Parts, StartError};
pub use machines::{Machines, MachinesError};
pub use share::SHARE_TAG;
pub use watch::Watch;

/// Processes of one session; the contract says so.
pub const PROCESSES_MAX: usize = 64;

/// Terminals of one session's harness; the contract says so.
pub const TERMINALS_MAX: usize = 16;

/// What this door keeps per session.
pub struct MachineCtx {
    machine: Option<Machine>,
    approvals: Approvals,
    /// Of the current turn.
    pub cancellation: Cancellation,
    processes: Arc<Semaphore>,
    terminals: Arc<Semaphore>,
}

impl MachineCtx {
    /// `None`: an agent without a machine.
    pub fn new(machine: Option<Machine>, approvals: Approvals, cancellation: Cancellation) -> Self {
        Self {
            machine,
            approvals,
            cancellation,
            processes: Arc::new(Semaphore::new(PROCESSES_MAX)),
            terminals: Arc::new(Semaphore::new(TERMINALS_MAX)),
        }
    }
}

/// This door's state together with the store's resource table, borrowed for one call.
pub struct MachineView<'a> {
    pub ctx: &'a mut MachineCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasMachine;

impl HasData for HasMachine {
    type Data<'a> = MachineView<'a>;
}

impl bindings::machine::types::Host for MachineView<'_> {}
