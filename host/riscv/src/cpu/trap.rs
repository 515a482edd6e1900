//! Traps: how the hart enters and leaves a handler.
//!
//! Called by the interpreter. There is no machine mode: every exception and interrupt goes to
//! supervisor mode, as if firmware had delegated them all; only `ecall` from supervisor mode leaves the
//! hart, to the firmware that the emulator is.
//!
//! Privileged specification, chapter "Supervisor-Level ISA".

use super::Cpu;
use super::hart::{interrupt, status};

/// Privilege modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// U.
    User,
    /// S.
    Supervisor,
}

/// Exceptions by their code in `scause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Cause {
    FetchAccess = 1,
    Illegal = 2,
    Breakpoint = 3,
    LoadMisaligned = 4,
    LoadAccess = 5,
    StoreMisaligned = 6,
    StoreAccess = 7,
    UserCall = 8,
    FetchPage = 12,
    LoadPage = 13,
    StorePage = 15,
}

/// An exception and what goes into `stval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Which.
    pub cause: Cause,
    /// The faulting address or the bits of the instruction.
    pub value: u64,
}

impl Trap {
    /// An exception.
    pub fn new(cause: Cause, value: u64) -> Self {
        Self { cause, value }
    }
}

/// `scause` of an interrupt.
const INTERRUPT: u64 = 1 << 63;

impl Cpu {
    /// Enters the handler of an exception at `pc`.
    #[cold]
    pub(super) fn take(&mut self, trap: Trap, pc: u64) {
        self.hart.trapped += 1;
        self.enter(trap.cause as u64, trap.value, pc);
    }

    /// Enters the handler of the most urgent interrupt, if one is pending, enabled and not masked.
    #[cold]
    pub(super) fn take_interrupt(&mut self) -> bool {
        if !self.interrupted() {
            return false;
        }
        let ready = self.hart.pending() & self.hart.sie;
        let bit = [interrupt::EXTERNAL, interrupt::SOFTWARE, interrupt::TIMER]
            .into_iter()
            .find(|bit| ready & bit != 0);
        let Some(bit) = bit else { return false };
        self.enter(INTERRUPT | u64::from(bit.trailing_zeros()), 0, self.hart.pc);
        true
    }

    /// Whether an interrupt would be taken now.
    #[inline(always)]
    pub(super) fn interrupted(&self) -> bool {
        let masked = self.hart.mode == Mode::Supervisor && self.hart.sstatus & status::SIE == 0;
        !masked && (self.hart.sip | self.timer_due) & self.hart.sie != 0
    }

    fn enter(&mut self, cause: u64, value: u64, pc: u64) {
        let hart = &mut self.hart;
        hart.sepc = pc;
        hart.scause = cause;
        hart.stval = value;
        let was = hart.sstatus;
        hart.sstatus &= !(status::SIE | status::SPIE | status::SPP);
        if was & status::SIE != 0 {
            hart.sstatus |= status::SPIE;
        }
        if hart.mode == Mode::Supervisor {
            hart.sstatus |= status::SPP;
        }
        hart.mode = Mode::Supervisor;
        hart.reservation = None;
        let base = hart.stvec & !3;
        let vectored = hart.stvec & 1 != 0 && cause & INTERRUPT != 0;
        hart.pc = if vectored { base.wrapping_add(4 * (cause & !INTERRUPT)) } else { base };
        self.tlb.select(&self.hart);
    }

    /// `sret`.
    pub(super) fn leave(&mut self) {
        let hart = &mut self.hart;
        let was = hart.sstatus;
        hart.mode = if was & status::SPP != 0 { Mode::Supervisor } else { Mode::User };
        hart.sstatus &= !(status::SIE | status::SPP);
        if was & status::SPIE != 0 {
            hart.sstatus |= status::SIE;
        }
        hart.sstatus |= status::SPIE;
        hart.reservation = None;
        hart.pc = hart.sepc;
        self.tlb.select(&self.hart);
    }
}
