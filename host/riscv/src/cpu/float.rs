//! The F and D extensions: registers, NaN boxing, rounding modes, and which operation is which.
//!
//! Called by the interpreter for every floating-point instruction, loads and stores too. Arithmetic is
//! [`crate::softfloat`]. Instructions are illegal while the unit is off. Stores leave it clean; all that
//! compute mark it dirty, which the specification leaves open where no register or flag of it changes.

use super::Cpu;
use super::access::Stored;
use super::hart::{Hart, status};
use super::trap::{Cause, Trap};
use crate::inst::{Inst, Op};
use crate::softfloat::{self as sf, Double, Flags, Format, Integer, Rounding, Single, quick};

/// The upper half of a register that holds a binary32 value.
const BOX: u64 = 0xffff_ffff_0000_0000;

impl Cpu {
    /// Executes a floating-point instruction.
    ///
    /// Never inlined, as the other groups are not: the loop that calls it keeps its state in registers only
    /// while it is small.
    #[inline(never)]
    pub(super) fn float(&mut self, inst: Inst) -> Result<Stored, Trap> {
        use Op::*;
        if !self.hart.float_enabled() {
            return Err(self.illegal());
        }
        let address = self.hart.x[inst.rs1()].wrapping_add(inst.imm() as u64);
        match inst.op() {
            Fld => self.hart.f[inst.fd()] = self.load::<8>(address)?,
            Flw => self.hart.f[inst.fd()] = BOX | self.load::<4>(address)?,
            Fsd => return self.store::<8>(address, self.hart.f[inst.rs2()]),
            Fsw => return self.store::<4>(address, self.hart.f[inst.rs2()]),
            _ => self.compute(inst)?,
        }
        self.hart.sstatus |= status::FS;
        Ok(Stored::Memory)
    }

    /// Everything that is neither quick nor a load or store.
    #[inline(never)]
    fn compute(&mut self, inst: Inst) -> Result<(), Trap> {
        use Op::*;
        match inst.op() {
            FmaddD | FmsubD | FnmsubD | FnmaddD | FaddD | FsubD | FmulD | FdivD | FsqrtD
            | FsgnjD | FsgnjnD | FsgnjxD | FminD | FmaxD | FcvtSD => self.double(inst)?,
            FcvtWD => self.convert_to_integer::<Double>(inst, Integer::I32)?,
            FcvtWuD => self.convert_to_integer::<Double>(inst, Integer::U32)?,
            FcvtLD => self.convert_to_integer::<Double>(inst, Integer::I64)?,
            FcvtLuD => self.convert_to_integer::<Double>(inst, Integer::U64)?,
            FcvtWS => self.convert_to_integer::<Single>(inst, Integer::I32)?,
            FcvtWuS => self.convert_to_integer::<Single>(inst, Integer::U32)?,
            FcvtLS => self.convert_to_integer::<Single>(inst, Integer::I64)?,
            FcvtLuS => self.convert_to_integer::<Single>(inst, Integer::U64)?,
            FcvtDW => self.convert_integer::<Double>(inst, Integer::I32)?,
            FcvtDWu => self.convert_integer::<Double>(inst, Integer::U32)?,
            FcvtDL => self.convert_integer::<Double>(inst, Integer::I64)?,
            FcvtDLu => self.convert_integer::<Double>(inst, Integer::U64)?,
            FcvtSW => self.convert_integer::<Single>(inst, Integer::I32)?,
            FcvtSWu => self.convert_integer::<Single>(inst, Integer::U32)?,
            FcvtSL => self.convert_integer::<Single>(inst, Integer::I64)?,
            FcvtSLu => self.convert_integer::<Single>(inst, Integer::U64)?,
            FmvDX => self.hart.f[inst.fd()] = self.hart.x[inst.rs1()],
            FmvWX => self.hart.f[inst.fd()] = BOX | self.hart.x[inst.rs1()],
            FmvXD | FmvXW | FeqD | FltD | FleD | FclassD | FeqS | FltS | FleS | FclassS => {
                self.inspect(inst);
            }
            _ => self.single(inst)?,
        }
        Ok(())
    }

    /// Operations that look at values and write an integer register.
    fn inspect(&mut self, inst: Inst) {
        use Op::*;
        let (a, b) = (self.hart.f[inst.rs1()], self.hart.f[inst.rs2()]);
        let (s, t) = (unboxed(a), unboxed(b));
        let flags = &mut self.hart.flags;
        self.hart.x[inst.rd()] = match inst.op() {
            FmvXD => a,
            FmvXW => a as i32 as u64,
            FeqD => sf::equal::<Double>(a, b, flags).into(),
            FltD => sf::less::<Double>(a, b, flags).into(),
            FleD => sf::less_or_equal::<Double>(a, b, flags).into(),
            FclassD => sf::classify::<Double>(a),
            FeqS => sf::equal::<Single>(s, t, flags).into(),
            FltS => sf::less::<Single>(s, t, flags).into(),
            FleS => sf::less_or_equal::<Single>(s, t, flags).into(),
            _ => sf::classify::<Single>(s),
        };
    }

    fn double(&mut self, inst: Inst) -> Result<(), Trap> {
        use Op::*;
        let mode = self.rounding(inst)?;
        let (a, b) = (self.hart.f[inst.rs1()], self.hart.f[inst.rs2()]);
        let c = self.hart.f[inst.rs3()];
        let flags = &mut self.hart.flags;
        let sign = Double::SIGN;
        self.hart.f[inst.fd()] = match inst.op() {
            FaddD => sf::add::<Double>(a, b, mode, flags),
            FsubD => sf::sub::<Double>(a, b, mode, flags),
            FmulD => sf::mul::<Double>(a, b, mode, flags),
            FdivD => sf::div::<Double>(a, b, mode, flags),
            FsqrtD => sf::sqrt::<Double>(a, mode, flags),
            FmaddD => sf::mul_add::<Double>(a, b, c, mode, flags),
            FmsubD => sf::mul_add::<Double>(a, b, c ^ sign, mode, flags),
            FnmsubD => sf::mul_add::<Double>(a ^ sign, b, c, mode, flags),
            FnmaddD => sf::mul_add::<Double>(a ^ sign, b, c ^ sign, mode, flags),
            FsgnjD => a & !sign | b & sign,
            FsgnjnD => a & !sign | !b & sign,
            FsgnjxD => a ^ b & sign,
            FminD => sf::minimum::<Double>(a, b, flags),
            FmaxD => sf::maximum::<Double>(a, b, flags),
            _ => BOX | sf::to_other::<Double, Single>(a, mode, flags),
        };
        Ok(())
    }

    fn single(&mut self, inst: Inst) -> Result<(), Trap> {
        use Op::*;
        let mode = self.rounding(inst)?;
        let a = unboxed(self.hart.f[inst.rs1()]);
        let b = unboxed(self.hart.f[inst.rs2()]);
        let c = unboxed(self.hart.f[inst.rs3()]);
        let flags = &mut self.hart.flags;
        let sign = Single::SIGN;
        let value = match inst.op() {
            FaddS => sf::add::<Single>(a, b, mode, flags),
            FsubS => sf::sub::<Single>(a, b, mode, flags),
            FmulS => sf::mul::<Single>(a, b, mode, flags),
            FdivS => sf::div::<Single>(a, b, mode, flags),
            FsqrtS => sf::sqrt::<Single>(a, mode, flags),
            FmaddS => sf::mul_add::<Single>(a, b, c, mode, flags),
            FmsubS => sf::mul_add::<Single>(a, b, c ^ sign, mode, flags),
            FnmsubS => sf::mul_add::<Single>(a ^ sign, b, c, mode, flags),
            FnmaddS => sf::mul_add::<Single>(a ^ sign, b, c ^ sign, mode, flags),
            FsgnjS => a & !sign | b & sign,
            FsgnjnS => a & !sign | !b & sign,
            FsgnjxS => a ^ b & sign,
            FminS => sf::minimum::<Single>(a, b, flags),
            FmaxS => sf::maximum::<Single>(a, b, flags),
            // What is left is FcvtDS, whose result fills the register.
            _ => {
                self.hart.f[inst.fd()] = sf::to_other::<Single, Double>(a, mode, flags);
                return Ok(());
            }
        };
        self.hart.f[inst.fd()] = BOX | value;
        Ok(())
    }

    fn convert_to_integer<F: Boxed>(&mut self, inst: Inst, to: Integer) -> Result<(), Trap> {
        let mode = self.rounding(inst)?;
        let a = F::operand(self.hart.f[inst.rs1()]);
        self.hart.x[inst.rd()] = sf::to_integer::<F>(a, to, mode, &mut self.hart.flags);
        Ok(())
    }

    fn convert_integer<F: Boxed>(&mut self, inst: Inst, from: Integer) -> Result<(), Trap> {
        let mode = self.rounding(inst)?;
        let a = self.hart.x[inst.rs1()];
        let value = sf::from_integer::<F>(a, from, mode, &mut self.hart.flags);
        self.hart.f[inst.fd()] = F::FILL | value;
        Ok(())
    }

    /// The rounding mode of an instruction. A reserved dynamic mode is illegal.
    #[inline(always)]
    fn rounding(&mut self, inst: Inst) -> Result<Rounding, Trap> {
        let bits = if inst.rm() == 7 { u32::from(self.hart.frm) } else { inst.rm() };
        match Rounding::from_bits(bits) {
            Some(mode) => Ok(mode),
            None => Err(self.illegal()),
        }
    }

    /// An illegal instruction whose bits the interpreter fills in, because a decoded instruction does
    /// not carry them.
    #[cold]
    fn illegal(&mut self) -> Trap {
        Trap::new(Cause::Illegal, 0)
    }

    /// Raises flags: for writes of `fflags`.
    pub(super) fn set_flags(&mut self, bits: u64) {
        self.hart.flags = Flags(bits as u8 & 31);
    }
}

impl Hart {
    /// Computes with the host's binary64 arithmetic, if that can be seen nowhere; says whether it did.
    #[inline(always)]
    pub(super) fn quick_double(&mut self, inst: Inst, by: impl FnOnce(f64, f64) -> f64) -> bool {
        if !self.may_be_quick(inst) {
            return false;
        }
        let (a, b) = (self.f[inst.rs1()], self.f[inst.rs2()]);
        let result = quick::double(a, b, by);
        if let Some(result) = result {
            self.f[inst.fd()] = result;
        }
        result.is_some()
    }

    /// The same with binary32.
    #[inline(always)]
    pub(super) fn quick_single(&mut self, inst: Inst, by: impl FnOnce(f32, f32) -> f32) -> bool {
        let (a, b) = (self.f[inst.rs1()], self.f[inst.rs2()]);
        if !self.may_be_quick(inst) || a.min(b) < BOX {
            return false;
        }
        let result = quick::single(a, b, by);
        if let Some(result) = result {
            self.f[inst.fd()] = BOX | result;
        }
        result.is_some()
    }

    /// Whether the unit is dirty already, so that nothing but the result changes, and the host may be asked.
    #[inline(always)]
    fn may_be_quick(&self, inst: Inst) -> bool {
        let mode = if inst.rm() == 7 { u32::from(self.frm) } else { inst.rm() };
        self.sstatus & status::FS == status::FS && quick::applies(mode, self.flags)
    }
}

/// The binary32 value in a register: what is not boxed is the canonical NaN.
#[inline(always)]
fn unboxed(register: u64) -> u64 {
    if register >= BOX { register & !BOX } else { Single::NAN }
}

/// How a format lies in a register.
trait Boxed: Format {
    /// Bits above the value.
    const FILL: u64;
    /// The value in a register.
    fn operand(register: u64) -> u64;
}

impl Boxed for Single {
    const FILL: u64 = BOX;
    fn operand(register: u64) -> u64 {
        unboxed(register)
    }
}

impl Boxed for Double {
    const FILL: u64 = 0;
    fn operand(register: u64) -> u64 {
        register
    }
}
