//! The SYSTEM opcode: calls, breakpoints, CSRs, and the supervisor's instructions.
//!
//! Called by the interpreter with the counters up to date.

use super::csr::{Effect, NoAccess};
use super::trap::{Cause, Mode, Trap};
use super::{Cpu, Left};
use crate::inst::{Inst, Op};

/// Where the interpreter goes after such an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To the following instruction of the same page.
    Follow,
    /// To `hart.pc`, by a new translation.
    Jump,
    /// Out of the loop.
    Leave(Left),
}

impl Cpu {
    /// Executes such an instruction at `pc`.
    #[inline(never)]
    pub(super) fn system(&mut self, inst: Inst, pc: u64) -> Result<Next, Trap> {
        let illegal = Trap::new(Cause::Illegal, 0);
        let user = self.hart.mode == Mode::User;
        let following = pc.wrapping_add(inst.len());
        match inst.op() {
            Op::Ecall if user => Err(Trap::new(Cause::UserCall, 0)),
            Op::Ecall => {
                self.hart.pc = following;
                Ok(Next::Leave(Left::Firmware))
            }
            Op::Ebreak => Err(Trap::new(Cause::Breakpoint, pc)),
            Op::Sret | Op::Wfi | Op::SfenceVma if user => Err(illegal),
            Op::Sret => {
                self.leave();
                Ok(Next::Jump)
            }
            Op::Wfi => {
                self.hart.pc = following;
                Ok(Next::Leave(Left::Idle))
            }
            Op::SfenceVma => {
                if inst.rs1() == 0 {
                    self.tlb.flush();
                } else {
                    self.tlb.flush_address(self.hart.x[inst.rs1()]);
                }
                self.hart.pc = following;
                Ok(Next::Jump)
            }
            _ => {
                let effect = self.csr(inst).map_err(|NoAccess| illegal)?;
                self.hart.pc = following;
                Ok(match effect {
                    Effect::None => Next::Follow,
                    Effect::State => Next::Jump,
                    Effect::Timer => Next::Leave(Left::Recheck),
                })
            }
        }
    }

    /// The six CSR instructions. Setting or clearing nothing is no write, which matters for read-only
    /// registers.
    fn csr(&mut self, inst: Inst) -> Result<Effect, NoAccess> {
        let csr = (inst.imm() as u32) >> 8;
        let field = (inst.imm() & 31) as u64;
        let register = self.hart.x[inst.rs1()];
        let (operand, writes) = match inst.op() {
            Op::Csrrw => (register, true),
            Op::Csrrwi => (field, true),
            Op::Csrrs | Op::Csrrc => (register, field != 0),
            _ => (field, field != 0),
        };
        let old = self.read_csr(csr)?;
        let effect = if writes {
            let new = match inst.op() {
                Op::Csrrw | Op::Csrrwi => operand,
                Op::Csrrs | Op::Csrrsi => old | operand,
                _ => old & !operand,
            };
            self.write_csr(csr, new)?
        } else {
            Effect::None
        };
        self.hart.x[inst.rd()] = old;
        Ok(effect)
    }
}
