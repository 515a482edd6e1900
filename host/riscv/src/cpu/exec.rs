//! The interpreter's loop: integer instructions, control flow, and the way to everything else.
//!
//! Called by [`crate::Machine`] through [`Cpu::run`]. The loop works on the decoded entries of one page;
//! the program counter is an index into them and becomes an address only where one is needed. It leaves
//! the inner loop for another page, for a trap, and for anything that may change translations or
//! interrupts; interrupts are looked at there and nowhere else, because nothing in between can make one
//! pending: the caller's budget ends where the timer would.

use super::access::Stored;
use super::alu;
use super::code::HALFWORDS;
use super::hart::{interrupt, status};
use super::system::Next;
use super::trap::{Cause, Mode, Trap};
use super::{Cpu, Left, MAX_OWED};
use crate::inst::Op;

impl Cpu {
    /// Starts up to `budget` instructions.
    pub fn run(&mut self, budget: u64) -> Left {
        // A local, so that it lives in a register; `hart.steps` follows where somebody may read it, and
        // `accounted` is how far.
        self.timer_due = self.hart.pending() & interrupt::TIMER;
        // Signed, so that counting down and looking for the end are one operation.
        let budget = budget.min(i64::MAX as u64);
        let mut remaining = budget as i64;
        let mut accounted = 0u64;
        let why = 'page: loop {
            if self.interrupted() {
                self.hart.steps += budget - remaining as u64 - accounted;
                accounted = budget - remaining as u64;
                self.take_interrupt();
            }
            let start = self.hart.pc;
            let slot = match self.code_at(start) {
                Ok(slot) => slot,
                Err(trap) => {
                    if remaining == 0 {
                        break 'page Left::Budget;
                    }
                    remaining -= 1;
                    let again = self.is_handler(start);
                    self.take(trap, start);
                    if again {
                        break 'page Left::Stuck;
                    }
                    continue 'page;
                }
            };
            if self.owed > MAX_OWED {
                break 'page Left::Recheck;
            }
            let origin = start & !4095;
            let mut index = (start % 4096 / 2) as usize;
            let mut page = self.memory.code.take(slot);

            // Why the page is left: to look up another, or to end the run.
            let left = 'leave: {
                macro_rules! pc {
                    () => {
                        origin.wrapping_add(2 * index as u64)
                    };
                }
                // Goes to the handler of an exception of the current instruction.
                macro_rules! trap {
                    ($trap:expr) => {{
                        let pc = pc!();
                        let trap = self.with_bits($trap, pc);
                        self.take(trap, pc);
                        break 'leave None;
                    }};
                }
                macro_rules! attempt {
                    ($result:expr) => {
                        match $result {
                            Ok(value) => value,
                            Err(trap) => trap!(trap),
                        }
                    };
                }
                'next: loop {
                    remaining -= 1;
                    if remaining < 0 {
                        remaining = 0;
                        self.hart.pc = pc!();
                        break 'leave Some(Left::Budget);
                    }
                    let mut inst = page[index];
                    'dispatch: loop {
                        let hart = &mut self.hart;
                        macro_rules! rs1 {
                            () => {
                                hart.x[inst.rs1()]
                            };
                        }
                        macro_rules! rs2 {
                            () => {
                                hart.x[inst.rs2()]
                            };
                        }
                        macro_rules! imm {
                            () => {
                                inst.imm() as u64
                            };
                        }
                        macro_rules! rd {
                            ($value:expr) => {
                                hart.x[inst.rd()] = $value
                            };
                        }
                        macro_rules! branch {
                            ($taken:expr) => {
                                if $taken {
                                    let to = index.wrapping_add_signed((inst.imm() >> 1) as isize);
                                    if to < HALFWORDS {
                                        index = to;
                                        continue 'next;
                                    }
                                    hart.pc = pc!().wrapping_add(imm!());
                                    break 'leave None;
                                }
                            };
                        }
                        // Continues at an address.
                        macro_rules! jump {
                            ($target:expr) => {{
                                let target: u64 = $target;
                                if (target ^ origin) < 4096 {
                                    index = (target % 4096 / 2) as usize;
                                    continue 'next;
                                }
                                self.hart.pc = target;
                                break 'leave None;
                            }};
                        }
                        macro_rules! load {
                            ($size:literal, $value:ident => $extended:expr) => {{
                                let address = rs1!().wrapping_add(imm!());
                                let $value = attempt!(self.load::<$size>(address));
                                self.hart.x[inst.rd()] = $extended;
                            }};
                        }
                        macro_rules! store {
                            ($size:literal) => {{
                                let (address, value) = (rs1!().wrapping_add(imm!()), rs2!());
                                if attempt!(self.store::<$size>(address, value)) == Stored::Device {
                                    self.hart.pc = pc!().wrapping_add(inst.len());
                                    break 'leave Some(Left::Device);
                                }
                            }};
                        }
                        match inst.op() {
                            Op::Undecoded => {
                                inst = attempt!(self.decode_at(pc!()));
                                page[index] = inst;
                                continue 'dispatch;
                            }
                            Op::Crosses => {
                                inst = attempt!(self.decode_crossing(pc!()));
                                continue 'dispatch;
                            }
                            Op::EndOfPage => {
                                remaining += 1;
                                hart.pc = pc!();
                                break 'leave None;
                            }
                            Op::Illegal => trap!(Trap::new(Cause::Illegal, 0)),
                            Op::Nop => {}
                            // Giving the page back forgets what was written to it.
                            Op::FenceI => {
                                hart.pc = pc!().wrapping_add(inst.len());
                                break 'leave None;
                            }
                            Op::Lui => rd!(imm!()),
                            Op::Auipc => rd!(pc!().wrapping_add(imm!())),
                            Op::Jal => {
                                let pc = pc!();
                                rd!(pc.wrapping_add(inst.len()));
                                jump!(pc.wrapping_add(imm!()));
                            }
                            Op::Jalr => {
                                let target = rs1!().wrapping_add(imm!()) & !1;
                                rd!(pc!().wrapping_add(inst.len()));
                                jump!(target);
                            }
                            Op::Beq => branch!(rs1!() == rs2!()),
                            Op::Bne => branch!(rs1!() != rs2!()),
                            Op::Blt => branch!((rs1!() as i64) < rs2!() as i64),
                            Op::Bge => branch!(rs1!() as i64 >= rs2!() as i64),
                            Op::Bltu => branch!(rs1!() < rs2!()),
                            Op::Bgeu => branch!(rs1!() >= rs2!()),
                            Op::Lb => load!(1, v => v as i8 as u64),
                            Op::Lh => load!(2, v => v as i16 as u64),
                            Op::Lw => load!(4, v => v as i32 as u64),
                            Op::Ld => load!(8, v => v),
                            Op::Lbu => load!(1, v => v),
                            Op::Lhu => load!(2, v => v),
                            Op::Lwu => load!(4, v => v),
                            Op::Sb => store!(1),
                            Op::Sh => store!(2),
                            Op::Sw => store!(4),
                            Op::Sd => store!(8),
                            Op::Addi => rd!(rs1!().wrapping_add(imm!())),
                            Op::Slti => rd!(((rs1!() as i64) < i64::from(inst.imm())).into()),
                            Op::Sltiu => rd!((rs1!() < imm!()).into()),
                            Op::Xori => rd!(rs1!() ^ imm!()),
                            Op::Ori => rd!(rs1!() | imm!()),
                            Op::Andi => rd!(rs1!() & imm!()),
                            Op::Slli => rd!(rs1!().wrapping_shl(imm!() as u32)),
                            Op::Srli => rd!(rs1!().wrapping_shr(imm!() as u32)),
                            Op::Srai => rd!((rs1!() as i64).wrapping_shr(imm!() as u32) as u64),
                            Op::Addiw => rd!((rs1!() as i32).wrapping_add(inst.imm()) as u64),
                            Op::Slliw => rd!((rs1!() as i32).wrapping_shl(imm!() as u32) as u64),
                            Op::Srliw => {
                                rd!((rs1!() as u32).wrapping_shr(imm!() as u32) as i32 as u64);
                            }
                            Op::Sraiw => rd!((rs1!() as i32).wrapping_shr(imm!() as u32) as u64),
                            Op::Add => rd!(rs1!().wrapping_add(rs2!())),
                            Op::Sub => rd!(rs1!().wrapping_sub(rs2!())),
                            Op::Sll => rd!(rs1!().wrapping_shl(rs2!() as u32)),
                            Op::Slt => rd!(((rs1!() as i64) < rs2!() as i64).into()),
                            Op::Sltu => rd!((rs1!() < rs2!()).into()),
                            Op::Xor => rd!(rs1!() ^ rs2!()),
                            Op::Srl => rd!(rs1!().wrapping_shr(rs2!() as u32)),
                            Op::Sra => rd!((rs1!() as i64).wrapping_shr(rs2!() as u32) as u64),
                            Op::Or => rd!(rs1!() | rs2!()),
                            Op::And => rd!(rs1!() & rs2!()),
                            Op::Addw => rd!((rs1!() as i32).wrapping_add(rs2!() as i32) as u64),
                            Op::Subw => rd!((rs1!() as i32).wrapping_sub(rs2!() as i32) as u64),
                            Op::Sllw => rd!((rs1!() as i32).wrapping_shl(rs2!() as u32) as u64),
                            Op::Srlw => {
                                rd!((rs1!() as u32).wrapping_shr(rs2!() as u32) as i32 as u64)
                            }
                            Op::Sraw => rd!((rs1!() as i32).wrapping_shr(rs2!() as u32) as u64),
                            Op::Mul => rd!(rs1!().wrapping_mul(rs2!())),
                            Op::Mulh => rd!(alu::mulh(rs1!(), rs2!())),
                            Op::Mulhsu => rd!(alu::mulhsu(rs1!(), rs2!())),
                            Op::Mulhu => rd!(alu::mulhu(rs1!(), rs2!())),
                            Op::Div => rd!(alu::div(rs1!(), rs2!())),
                            Op::Divu => rd!(alu::divu(rs1!(), rs2!())),
                            Op::Rem => rd!(alu::rem(rs1!(), rs2!())),
                            Op::Remu => rd!(alu::remu(rs1!(), rs2!())),
                            Op::Mulw => rd!((rs1!() as i32).wrapping_mul(rs2!() as i32) as u64),
                            Op::Divw => rd!(alu::divw(rs1!(), rs2!())),
                            Op::Divuw => rd!(alu::divuw(rs1!(), rs2!())),
                            Op::Remw => rd!(alu::remw(rs1!(), rs2!())),
                            Op::Remuw => rd!(alu::remuw(rs1!(), rs2!())),
                            Op::LrW
                            | Op::ScW
                            | Op::AmoswapW
                            | Op::AmoaddW
                            | Op::AmoxorW
                            | Op::AmoandW
                            | Op::AmoorW
                            | Op::AmominW
                            | Op::AmomaxW
                            | Op::AmominuW
                            | Op::AmomaxuW
                            | Op::LrD
                            | Op::ScD
                            | Op::AmoswapD
                            | Op::AmoaddD
                            | Op::AmoxorD
                            | Op::AmoandD
                            | Op::AmoorD
                            | Op::AmominD
                            | Op::AmomaxD
                            | Op::AmominuD
                            | Op::AmomaxuD => {
                                attempt!(self.atomic(inst));
                            }
                            Op::Ecall
                            | Op::Ebreak
                            | Op::Sret
                            | Op::Wfi
                            | Op::SfenceVma
                            | Op::Csrrw
                            | Op::Csrrs
                            | Op::Csrrc
                            | Op::Csrrwi
                            | Op::Csrrsi
                            | Op::Csrrci => {
                                // Counters must be right, and translations and interrupts may change.
                                hart.steps += budget - remaining as u64 - accounted;
                                accounted = budget - remaining as u64;
                                match attempt!(self.system(inst, pc!())) {
                                    Next::Follow => {}
                                    Next::Jump => break 'leave None,
                                    Next::Leave(left) => break 'leave Some(left),
                                }
                            }
                            Op::FaddD if hart.quick_double(inst, |a, b| a + b) => {}
                            Op::FsubD if hart.quick_double(inst, |a, b| a - b) => {}
                            Op::FmulD if hart.quick_double(inst, |a, b| a * b) => {}
                            Op::FdivD if hart.quick_double(inst, |a, b| a / b) => {}
                            Op::FaddS if hart.quick_single(inst, |a, b| a + b) => {}
                            Op::FsubS if hart.quick_single(inst, |a, b| a - b) => {}
                            Op::FmulS if hart.quick_single(inst, |a, b| a * b) => {}
                            Op::FdivS if hart.quick_single(inst, |a, b| a / b) => {}
                            // Loads of the unit are as frequent as those of integers.
                            Op::Fld if hart.float_enabled() => {
                                let address = rs1!().wrapping_add(imm!());
                                let value = attempt!(self.load::<8>(address));
                                self.hart.f[inst.fd()] = value;
                                self.hart.sstatus |= status::FS;
                            }
                            // All else of the F and D extensions.
                            _ => {
                                if attempt!(self.float(inst)) == Stored::Device {
                                    self.hart.pc = pc!().wrapping_add(inst.len());
                                    break 'leave Some(Left::Device);
                                }
                            }
                        }
                        break 'dispatch;
                    }
                    index += inst.halfwords();
                }
            };
            self.memory.code.put(slot, page);
            if let Some(left) = left {
                break 'page left;
            }
        };
        self.hart.steps += budget - remaining as u64 - accounted;
        why
    }

    /// Whether the hart is just entering its handler of exceptions.
    fn is_handler(&self, pc: u64) -> bool {
        self.hart.mode == Mode::Supervisor && pc == self.hart.stvec & !3 && pc == self.hart.sepc
    }

    /// Completes an exception: that of an illegal instruction carries its bits.
    #[cold]
    fn with_bits(&mut self, trap: Trap, pc: u64) -> Trap {
        match trap.cause {
            Cause::Illegal => Trap::new(trap.cause, u64::from(self.bits_at(pc))),
            _ => trap,
        }
    }
}
