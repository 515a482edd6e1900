//! The hart with its memory and devices: one processor, stepped.
//!
//! Run by [`crate::Machine`], which answers what leaves the hart: firmware calls, idleness, devices with
//! something to do. Nothing here waits, and a run of `n` instructions starts at most `n`.

mod access;
mod alu;
mod atomic;
pub(crate) mod code;
mod csr;
mod exec;
mod float;
pub mod hart;
mod system;
pub mod tlb;
pub mod trap;
pub mod walk;

use crate::devices::Devices;
use crate::host::Host;
use crate::memory::{BASE, Memory};
use hart::{Hart, interrupt};
use tlb::Tlb;

/// Why a run of the hart ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// As many instructions as asked for were started.
    Budget,
    /// Interrupts or the timer may have changed.
    Recheck,
    /// A device was written to.
    Device,
    /// `ecall` from supervisor mode; `pc` is behind it.
    Firmware,
    /// `wfi`; `pc` is behind it.
    Idle,
    /// The trap handler, at `pc`, cannot be fetched: every attempt enters it again.
    Stuck,
}

/// The processor and what it can reach.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Registers.
    pub hart: Hart,
    /// Translations.
    pub(crate) tlb: Tlb,
    /// Memory.
    pub memory: Memory,
    /// Everything else in the physical address space.
    pub devices: Devices,
    /// The timer's bit if it was due when the run began: it does not become due within one, because the
    /// run ends there.
    timer_due: u64,
    /// Steps to be paid for work that one instruction caused and that is worth many.
    owed: u64,
}

/// Steps that decoding a page in the place of another is worth: clearing its entries takes as long as that
/// many instructions, and a guest that jumps from page to page must not make a slice a thousand times as
/// long. While there are free places it costs nothing: there are not many.
const EVICTION_STEPS: u64 = 300;

/// Steps that may be owed before a run ends to pay them.
const MAX_OWED: u64 = 1 << 16;

impl Cpu {
    /// A processor at the start of a memory of that size.
    pub fn new(memory: Memory, devices: Devices) -> Self {
        Self { hart: Hart::new(BASE), tlb: Tlb::new(), memory, devices, timer_due: 0, owed: 0 }
    }

    /// Lets devices work. Returns how many bytes they moved.
    pub fn work(&mut self, host: &mut dyn Host) -> u64 {
        let moved = self.devices.work(&mut self.memory, host);
        if moved != 0 {
            // A device may have written what the hart reserved.
            self.hart.reservation = None;
        }
        self.update_external();
        moved
    }

    /// What is owed for work beyond the instructions that were started, in steps; asks once.
    pub(crate) fn take_owed(&mut self) -> u64 {
        core::mem::take(&mut self.owed)
    }

    /// Takes over what the interrupt controller says.
    fn update_external(&mut self) {
        self.hart.sip &= !interrupt::EXTERNAL;
        if self.devices.interrupting() {
            self.hart.sip |= interrupt::EXTERNAL;
        }
    }

    /// Forgets all translations.
    pub fn flush(&mut self) {
        self.tlb.flush();
        self.tlb.select(&self.hart);
    }
}
