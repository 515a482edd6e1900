//! The handle to one computer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::computers::Computers;
use crate::disk::Disk;
use crate::instance::Failure;
use crate::module::Module;
use crate::port::Port;
use crate::share::Share;
use crate::turn::Turn;
use crate::turns::{Line, Task};

/// What a computer is made of and boots.
#[derive(Debug)]
pub struct Config {
    /// Bytes of the guest's memory. Pages that the guest never touches cost nothing.
    pub memory: usize,
    /// A Linux `Image`, not compressed.
    pub kernel: Arc<[u8]>,
    /// The kernel's command line.
    pub arguments: String,
    /// The disk, `/dev/vda`.
    pub disk: Option<Arc<Disk>>,
    /// The name of the port by which the guest finds it.
    pub port: String,
    /// Folders of the host.
    pub shares: Vec<Share>,
}

/// What became of a computer. All but the first are ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// The guest switched it off.
    ShutDown,
    /// The guest wants a reboot: a new computer.
    Rebooted,
    /// The guest can do nothing any more: its trap handler, at this address, cannot be fetched.
    Stuck {
        handler: u64,
    },
    /// The host switched it off.
    SwitchedOff,
    /// It cannot go on, and this is not the guest's doing.
    Failed(Failure),
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running => f.write_str("the machine is running"),
            Self::ShutDown => f.write_str("the machine was shut down"),
            Self::Rebooted => f.write_str("the machine was rebooted"),
            Self::Stuck { handler } => {
                write!(f, "the machine's kernel is stuck at {handler:#x}")
            }
            Self::SwitchedOff => f.write_str("the machine was switched off"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

/// What a computer has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Instructions of the guest.
    pub instructions: u64,
    /// Time of the host's threads.
    pub busy: Duration,
}

/// What the handle and the threads share.
pub struct Shared {
    state: watch::Sender<State>,
    dropped: AtomicBool,
    instructions: AtomicU64,
    busy_nanos: AtomicU64,
}

impl Shared {
    fn new() -> Self {
        Self {
            state: watch::Sender::new(State::Running),
            dropped: AtomicBool::new(false),
            instructions: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
        }
    }

    pub fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Relaxed)
    }

    pub fn add_busy(&self, time: Duration) {
        self.busy_nanos.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    pub fn set_instructions(&self, number: u64) {
        self.instructions.store(number, Ordering::Relaxed);
    }

    /// The first end counts.
    pub fn end(&self, end: State) {
        self.state.send_if_modified(|state| {
            let running = *state == State::Running;
            if running {
                *state = end;
            }
            running
        });
    }
}

/// A computer that was switched on. Dropping it switches it off, whatever it does.
pub struct Computer {
    task: Arc<Task>,
    port: Option<Port>,
    /// The threads live as long as a computer.
    _computers: Arc<Computers>,
}

impl Computer {
    pub(crate) fn boot(
        computers: Arc<Computers>,
        module: &Arc<Module>,
        line: &Arc<Line>,
        config: Config,
    ) -> Self {
        let task = Task::new(Turn::new(module.clone(), config), Shared::new(), line);
        task.wake();
        Self { port: Some(Port::new(task.clone())), task, _computers: computers }
    }

    /// The port's stream, once.
    pub fn take_port(&mut self) -> Option<Port> {
        self.port.take()
    }

    /// What becomes of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.task.shared.state.subscribe()
    }

    /// The last text of its console: up to [`crate::CONSOLE_KEPT`] bytes, not fit for a terminal.
    pub fn console_text(&self) -> String {
        self.task.wires.console_text()
    }

    /// What it has cost.
    pub fn used(&self) -> Used {
        let shared = &self.task.shared;
        Used {
            instructions: shared.instructions.load(Ordering::Relaxed),
            busy: Duration::from_nanos(shared.busy_nanos.load(Ordering::Relaxed)),
        }
    }

    /// Switches it off as pulling the plug does, after the turn under way at the latest. To let the
    /// guest end in order, ask the guest.
    pub fn switch_off(&self) {
        self.task.shared.dropped.store(true, Ordering::Relaxed);
        self.task.wake();
    }
}

impl Drop for Computer {
    fn drop(&mut self) {
        self.switch_off();
    }
}
