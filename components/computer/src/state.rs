//! The one computer of this module, and the scratch.

use alloc::vec::Vec;
use core::cell::RefCell;

use riscv::Machine;

/// Everything that the module keeps.
pub struct State {
    pub machine: Option<Machine>,
    /// What the host hands in.
    pub scratch: Vec<u8>,
    /// What the last run has to say besides its code.
    pub detail: u64,
}

struct Global(RefCell<State>);

// SAFETY: a module without shared memory has one thread.
unsafe impl Sync for Global {}

static STATE: Global =
    Global(RefCell::new(State { machine: None, scratch: Vec::new(), detail: 0 }));

/// Lets a call work on the state. A host that calls from within an import panics here.
pub fn with<R>(act: impl FnOnce(&mut State) -> R) -> R {
    act(&mut STATE.0.borrow_mut())
}

/// The same for calls that need a computer; `R::default()` before there is one.
pub fn with_machine<R: Default>(act: impl FnOnce(&mut Machine) -> R) -> R {
    with(|state| state.machine.as_mut().map(act).unwrap_or_default())
}
