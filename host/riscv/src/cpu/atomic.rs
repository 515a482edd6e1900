//! The A extension.
//!
//! Called by the interpreter. With one hart, and devices that only run between instructions, every
//! operation is atomic by itself. A misaligned address is an exception; so is one that is not memory.
//!
//! Unprivileged specification, chapter "A Extension for Atomic Instructions".

use super::Cpu;
use super::trap::{Cause, Trap};
use crate::inst::{Inst, Op};

impl Cpu {
    /// Executes an operation of the A extension.
    #[inline(never)]
    pub(super) fn atomic(&mut self, inst: Inst) -> Result<(), Trap> {
        use Op::*;
        let address = self.hart.x[inst.rs1()];
        let result = match inst.op() {
            LrW => self.load_reserved::<4>(address)? as i32 as u64,
            LrD => self.load_reserved::<8>(address)?,
            ScW => self.store_conditional::<4>(address, self.hart.x[inst.rs2()])?,
            ScD => self.store_conditional::<8>(address, self.hart.x[inst.rs2()])?,
            AmoswapW | AmoaddW | AmoxorW | AmoandW | AmoorW | AmominW | AmomaxW | AmominuW
            | AmomaxuW => self.modify_word(inst, address)?,
            _ => self.modify_double(inst, address)?,
        };
        self.hart.x[inst.rd()] = result;
        Ok(())
    }

    fn load_reserved<const N: usize>(&mut self, address: u64) -> Result<u64, Trap> {
        if !address.is_multiple_of(N as u64) {
            return Err(Trap::new(Cause::LoadMisaligned, address));
        }
        let value = self.load::<N>(address)?;
        let found = self.find(address, super::tlb::Access::Load)?;
        if self.memory.offset(found.address, N).is_none() {
            return Err(Trap::new(Cause::LoadAccess, address));
        }
        self.hart.reservation = Some(found.address);
        Ok(value)
    }

    /// Zero for success. The address must be writable even when the reservation is gone.
    fn store_conditional<const N: usize>(&mut self, address: u64, value: u64) -> Result<u64, Trap> {
        let at = self.find_atomic(address, N as u64)?;
        let physical = crate::memory::BASE + at as u64;
        if self.hart.reservation.take() != Some(physical) {
            return Ok(1);
        }
        self.store::<N>(address, value)?;
        Ok(0)
    }

    fn modify_word(&mut self, inst: Inst, address: u64) -> Result<u64, Trap> {
        use Op::*;
        self.find_atomic(address, 4)?;
        let old = self.load_for_update::<4>(address)? as u32;
        let with = self.hart.x[inst.rs2()] as u32;
        let new = match inst.op() {
            AmoswapW => with,
            AmoaddW => old.wrapping_add(with),
            AmoxorW => old ^ with,
            AmoandW => old & with,
            AmoorW => old | with,
            AmominW => (old as i32).min(with as i32) as u32,
            AmomaxW => (old as i32).max(with as i32) as u32,
            AmominuW => old.min(with),
            _ => old.max(with),
        };
        self.store::<4>(address, new.into())?;
        Ok(old as i32 as u64)
    }

    fn modify_double(&mut self, inst: Inst, address: u64) -> Result<u64, Trap> {
        use Op::*;
        self.find_atomic(address, 8)?;
        let old = self.load_for_update::<8>(address)?;
        let with = self.hart.x[inst.rs2()];
        let new = match inst.op() {
            AmoswapD => with,
            AmoaddD => old.wrapping_add(with),
            AmoxorD => old ^ with,
            AmoandD => old & with,
            AmoorD => old | with,
            AmominD => (old as i64).min(with as i64) as u64,
            AmomaxD => (old as i64).max(with as i64) as u64,
            AmominuD => old.min(with),
            _ => old.max(with),
        };
        self.store::<8>(address, new)?;
        Ok(old)
    }

    /// The old value of an address that is known to be writable. A page that can be written can be read
    /// in every mode of translation, so that the only exceptions are those of the store.
    fn load_for_update<const N: usize>(&mut self, address: u64) -> Result<u64, Trap> {
        self.load::<N>(address).map_err(|_| Trap::new(Cause::StoreAccess, address))
    }
}
