//! Control and status registers.
//!
//! Called by the interpreter for CSR instructions. What does not exist, or may not be touched from the
//! hart's mode, is illegal. `cycle`, `time` and `instret` are read without a trap to anybody.
//!
//! Privileged specification, chapters "Control and Status Registers (CSRs)" and "Supervisor-Level ISA";
//! `stimecmp` is the extension Sstc.

use super::Cpu;
use super::hart::{interrupt, status};
use super::trap::Mode;
use super::walk::{BARE, SATP_MODE_SHIFT, SV39};

const FFLAGS: u32 = 0x001;
const FRM: u32 = 0x002;
const FCSR: u32 = 0x003;
const SSTATUS: u32 = 0x100;
const SIE: u32 = 0x104;
const STVEC: u32 = 0x105;
const SCOUNTEREN: u32 = 0x106;
const SENVCFG: u32 = 0x10a;
const SSCRATCH: u32 = 0x140;
const SEPC: u32 = 0x141;
const SCAUSE: u32 = 0x142;
const STVAL: u32 = 0x143;
const SIP: u32 = 0x144;
const STIMECMP: u32 = 0x14d;
const SATP: u32 = 0x180;
const CYCLE: u32 = 0xc00;
const TIME: u32 = 0xc01;
const INSTRET: u32 = 0xc02;

/// `satp`: mode and page number. There are no address space identifiers: their bits read zero.
const SATP_WRITABLE: u64 = 0xf << SATP_MODE_SHIFT | ((1 << 44) - 1);

/// `senvcfg`: FIOM, which orders what is in order anyway.
const SENVCFG_WRITABLE: u64 = 1;

/// The CSR does not exist, is read-only, or belongs to another mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAccess;

/// What a write may have changed beyond the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Which interrupts are taken, or how addresses translate.
    State,
    /// When the timer interrupt comes.
    Timer,
}

impl Cpu {
    /// Whether the hart's mode may touch the CSR at all: bits 9 and 8 are the lowest mode that may.
    fn check_csr(&self, csr: u32, write: bool) -> Result<(), NoAccess> {
        let lowest = csr >> 8 & 3;
        let mode = if self.hart.mode == Mode::User { 0 } else { 1 };
        let read_only = csr >> 10 == 3;
        if lowest > mode || write && read_only { Err(NoAccess) } else { Ok(()) }
    }

    /// Reads a CSR.
    pub(super) fn read_csr(&self, csr: u32) -> Result<u64, NoAccess> {
        self.check_csr(csr, false)?;
        let hart = &self.hart;
        Ok(match csr {
            FFLAGS | FRM | FCSR if !hart.float_enabled() => return Err(NoAccess),
            FFLAGS => hart.flags.0.into(),
            FRM => hart.frm.into(),
            FCSR => u64::from(hart.frm) << 5 | u64::from(hart.flags.0),
            SSTATUS => {
                let dirty = hart.sstatus & status::FS == status::FS;
                hart.sstatus | status::UXL_64 | if dirty { status::SD } else { 0 }
            }
            SIE => hart.sie,
            STVEC => hart.stvec,
            SCOUNTEREN => hart.scounteren,
            SENVCFG => hart.senvcfg,
            SSCRATCH => hart.sscratch,
            SEPC => hart.sepc,
            SCAUSE => hart.scause,
            STVAL => hart.stval,
            SIP => hart.pending(),
            STIMECMP => hart.stimecmp,
            SATP => hart.satp,
            CYCLE | TIME | INSTRET => {
                let bit = 1 << (csr - CYCLE);
                if hart.mode == Mode::User && hart.scounteren & bit == 0 {
                    return Err(NoAccess);
                }
                match csr {
                    TIME => hart.time(),
                    CYCLE => hart.steps,
                    // The instruction that reads is not counted yet.
                    _ => hart.steps.wrapping_sub(hart.trapped).wrapping_sub(1),
                }
            }
            _ => return Err(NoAccess),
        })
    }

    /// Writes a CSR.
    pub(super) fn write_csr(&mut self, csr: u32, value: u64) -> Result<Effect, NoAccess> {
        self.check_csr(csr, true)?;
        match csr {
            FFLAGS | FRM | FCSR => {
                if !self.hart.float_enabled() {
                    return Err(NoAccess);
                }
                self.hart.sstatus |= status::FS;
                if csr != FRM {
                    self.set_flags(value);
                }
                if csr != FFLAGS {
                    let frm = if csr == FRM { value } else { value >> 5 };
                    self.hart.frm = frm as u8 & 7;
                }
            }
            SSTATUS => {
                let old = self.hart.sstatus;
                self.hart.sstatus = value & status::WRITABLE;
                if (old ^ value) & status::MXR != 0 {
                    self.tlb.flush();
                }
                self.tlb.select(&self.hart);
                return Ok(Effect::State);
            }
            SIE => {
                self.hart.sie = value & interrupt::ALL;
                return Ok(Effect::State);
            }
            SIP => {
                let software = value & interrupt::SOFTWARE;
                self.hart.sip = self.hart.sip & !interrupt::SOFTWARE | software;
                return Ok(Effect::State);
            }
            // Modes of the vector above 1 are reserved: the mode stays what it was.
            STVEC if value & 2 == 0 => self.hart.stvec = value,
            STVEC => self.hart.stvec = value & !3 | self.hart.stvec & 1,
            SCOUNTEREN => self.hart.scounteren = value & 7,
            SENVCFG => self.hart.senvcfg = value & SENVCFG_WRITABLE,
            SSCRATCH => self.hart.sscratch = value,
            SEPC => self.hart.sepc = value & !1,
            SCAUSE => self.hart.scause = value,
            STVAL => self.hart.stval = value,
            STIMECMP => {
                self.hart.stimecmp = value;
                return Ok(Effect::Timer);
            }
            // A write with a mode that is not implemented changes nothing at all.
            SATP if matches!(value >> SATP_MODE_SHIFT, BARE | SV39) => {
                self.hart.satp = value & SATP_WRITABLE;
                self.tlb.flush();
                return Ok(Effect::State);
            }
            SATP => {}
            _ => return Err(NoAccess),
        }
        Ok(Effect::None)
    }
}
