//! The registers of the hart: everything that a program can see of it.
//!
//! Read and written by the rest of [`crate::cpu`]. Plain data: what must be kept across a checkpoint
//! is here and in memory, and nothing else is.

use super::trap::Mode;
use crate::inst::X_SLOTS;
use crate::softfloat::Flags;

/// Ticks of the `time` register per second of virtual time: the timebase of the device tree.
pub const TICKS_PER_SECOND: u64 = 10_000_000;

/// Instructions per tick. Ten make a second of virtual time cost 100 million instructions, about what
/// an interpreter in WebAssembly executes in a second of real time, so that a guest's time-outs mean
/// about what their authors meant.
pub const INSTRUCTIONS_PER_TICK: u64 = 10;

/// Bits of `sstatus` (privileged specification, "Supervisor Status (sstatus) Register").
pub mod status {
    /// Interrupts are taken in supervisor mode.
    pub const SIE: u64 = 1 << 1;
    /// [`SIE`] before the last trap.
    pub const SPIE: u64 = 1 << 5;
    /// The last trap came from supervisor mode.
    pub const SPP: u64 = 1 << 8;
    /// State of the floating-point unit: off, initial, clean, dirty.
    pub const FS: u64 = 3 << 13;
    /// Supervisor mode may access user pages.
    pub const SUM: u64 = 1 << 18;
    /// Loads may read executable pages.
    pub const MXR: u64 = 1 << 19;
    /// User mode is 64 bits wide, read-only.
    pub const UXL_64: u64 = 2 << 32;
    /// Some state is dirty, read-only.
    pub const SD: u64 = 1 << 63;
    /// What software can write.
    pub const WRITABLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR;
}

/// Bits of `sip` and `sie`.
pub mod interrupt {
    /// Software interrupt.
    pub const SOFTWARE: u64 = 1 << 1;
    /// Timer interrupt.
    pub const TIMER: u64 = 1 << 5;
    /// External interrupt.
    pub const EXTERNAL: u64 = 1 << 9;
    /// All that exist.
    pub const ALL: u64 = SOFTWARE | TIMER | EXTERNAL;
}

/// The hart.
#[derive(Clone, Debug)]
pub struct Hart {
    /// Integer registers; `x[0]` is zero, slots from 32 on are nobody's.
    pub x: [u64; X_SLOTS],
    /// Floating-point registers, binary32 values NaN-boxed.
    pub f: [u64; 32],
    /// Where the next instruction is.
    pub pc: u64,
    /// Accrued floating-point exceptions.
    pub flags: Flags,
    /// Dynamic rounding mode, three bits of any value.
    pub frm: u8,
    /// User or supervisor mode.
    pub mode: Mode,
    /// The physical address that `lr` reserved.
    pub reservation: Option<u64>,

    /// `sstatus` without its read-only bits.
    pub sstatus: u64,
    /// Enabled interrupts.
    pub sie: u64,
    /// Pending interrupts that are not derived: the software one, and the external one as the
    /// interrupt controller last said.
    pub sip: u64,
    /// Trap vector.
    pub stvec: u64,
    /// Scratch register of trap handlers.
    pub sscratch: u64,
    /// Where the last trap happened.
    pub sepc: u64,
    /// Why.
    pub scause: u64,
    /// With what address or instruction.
    pub stval: u64,
    /// Address translation.
    pub satp: u64,
    /// Which counters user mode may read.
    pub scounteren: u64,
    /// Environment configuration.
    pub senvcfg: u64,
    /// The time at which the timer interrupt becomes pending.
    pub stimecmp: u64,

    /// Instructions started since power-on; virtual time derives from them.
    pub steps: u64,
    /// Those of them that trapped and did not retire.
    pub trapped: u64,
    /// Ticks that passed while the hart was idle.
    pub idle_ticks: u64,
}

impl Hart {
    /// A hart that starts in supervisor mode at `pc`.
    pub fn new(pc: u64) -> Self {
        Self {
            x: [0; X_SLOTS],
            f: [0; 32],
            pc,
            flags: Flags::default(),
            frm: 0,
            mode: Mode::Supervisor,
            reservation: None,
            sstatus: 0,
            sie: 0,
            sip: 0,
            stvec: 0,
            sscratch: 0,
            sepc: 0,
            scause: 0,
            stval: 0,
            satp: 0,
            scounteren: 0,
            senvcfg: 0,
            stimecmp: u64::MAX,
            steps: 0,
            trapped: 0,
            idle_ticks: 0,
        }
    }

    /// Virtual time in ticks.
    pub fn time(&self) -> u64 {
        (self.steps / INSTRUCTIONS_PER_TICK).saturating_add(self.idle_ticks)
    }

    /// How many instructions may start before the timer interrupt can become pending.
    pub fn steps_to_timer(&self) -> u64 {
        match self.stimecmp.checked_sub(self.time()) {
            None | Some(0) => u64::MAX,
            Some(ticks) => ticks
                .saturating_mul(INSTRUCTIONS_PER_TICK)
                .saturating_sub(self.steps % INSTRUCTIONS_PER_TICK),
        }
    }

    /// Pending interrupts, the timer's among them.
    pub fn pending(&self) -> u64 {
        let timer = if self.time() >= self.stimecmp { interrupt::TIMER } else { 0 };
        self.sip | timer
    }

    /// Whether floating point may be used.
    #[inline(always)]
    pub fn float_enabled(&self) -> bool {
        self.sstatus & status::FS != 0
    }
}
