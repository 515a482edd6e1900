//! The computer inside the machine: an RV64GC system that boots Linux, as plain state.
//!
//! Why it exists: agents get a real Linux without trust, and its whole state must be the linear memory of
//! a WebAssembly module, so that a copy of that memory is a checkpoint. Called by the machine component
//! and, natively, by tests and benchmarks, through [`Machine`]. It must never read a file, a clock, the
//! environment or a network, start a thread, or keep anything outside of [`Machine`]; what it needs of the
//! world it asks of a [`Host`], and time is what the host and the instruction count say.
//!
//! It is `no_std`: the module has no system below it, and what would need one does not compile.
//!
//! A guest may do anything: no input makes this crate panic, reach outside of the guest's memory, or run
//! longer than its budget.
//!
//! | module | what |
//! |---|---|
//! | `decode`, `inst` | from bits to decoded instructions |
//! | `cpu` | the hart: interpreter, traps, CSRs, address translation, caches |
//! | `softfloat` | IEEE 754 arithmetic |
//! | `memory` | guest memory |
//! | `devices` | interrupt controller, virtio |
//! | `sbi` | the firmware that a supervisor calls |
//! | `fdt`, `tree` | the description of all that for the kernel |
//! | `machine`, `host` | the way in and the way out |

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod cpu;
mod decode;
pub mod devices;
mod fdt;
mod host;
mod inst;
mod machine;
mod memory;
mod sbi;
pub mod softfloat;
mod tree;

pub use cpu::hart::{INSTRUCTIONS_PER_TICK, TICKS_PER_SECOND};
pub use host::{Host, ReadFailed};
pub use machine::{Boot, BootError, Config, Machine, Stop};
pub use memory::BASE;
