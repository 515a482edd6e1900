//! Loads, stores and fetches: the fast way through the TLB, and the slow way for everything else.
//!
//! Called by the interpreter. The slow way handles TLB misses, misaligned accesses (which are done,
//! byte by byte where they cross a page), devices, and stores to pages that hold decoded code.

use super::tlb::{Access, PAGE, Tlb};
use super::trap::{Cause, Trap};
use super::walk::{Denied, Found, translate};
use super::{Cpu, EVICTION_STEPS};
use crate::decode::decode;
use crate::inst::Inst;
use crate::memory::BASE;

/// Whether a store needs the attention of whoever runs the hart: it went to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// To memory.
    Memory,
    /// To a device, which may have something to do now.
    Device,
}

impl Cpu {
    /// Loads `N` bytes, zero-extended.
    #[inline(always)]
    pub(super) fn load<const N: usize>(&mut self, address: u64) -> Result<u64, Trap> {
        let entry = self.tlb.load(address);
        if entry.tag == address & Tlb::tag_mask(N) {
            let at = entry.at + (address % PAGE) as usize;
            if let Some(bytes) = self.memory.bytes.get(at..at + N) {
                let mut value = [0; 8];
                value[..N].copy_from_slice(bytes);
                return Ok(u64::from_le_bytes(value));
            }
        }
        self.load_slowly(address, N)
    }

    /// Stores the low `N` bytes.
    #[inline(always)]
    pub(super) fn store<const N: usize>(
        &mut self,
        address: u64,
        value: u64,
    ) -> Result<Stored, Trap> {
        let entry = self.tlb.store(address);
        if entry.tag == address & Tlb::tag_mask(N) {
            let at = entry.at + (address % PAGE) as usize;
            if let Some(bytes) = self.memory.bytes.get_mut(at..at + N) {
                bytes.copy_from_slice(&value.to_le_bytes()[..N]);
                return Ok(Stored::Memory);
            }
        }
        self.store_slowly(address, N, value)
    }

    #[cold]
    fn load_slowly(&mut self, address: u64, size: usize) -> Result<u64, Trap> {
        if crosses(address, size) {
            let mut value = 0;
            for i in 0..size {
                let byte = self.load_slowly(address.wrapping_add(i as u64), 1)?;
                value |= byte << (8 * i);
            }
            return Ok(value);
        }
        let found = self.find(address, Access::Load)?;
        if let Some(value) = self.memory.load(found.address, size) {
            self.remember(Access::Load, address, found);
            return Ok(value);
        }
        let value = self.devices.load(found.address, size);
        self.update_external();
        value.ok_or(Trap::new(Cause::LoadAccess, address))
    }

    #[cold]
    fn store_slowly(&mut self, address: u64, size: usize, value: u64) -> Result<Stored, Trap> {
        if crosses(address, size) {
            // Nothing is written unless all of it can be.
            let second = (address | (PAGE - 1)).wrapping_add(1);
            for end in [address, second] {
                let found = self.find(end, Access::Store)?;
                if self.memory.offset(found.address, 1).is_none() {
                    return Err(Trap::new(Cause::StoreAccess, end));
                }
            }
            for i in 0..size {
                self.store_slowly(address.wrapping_add(i as u64), 1, value >> (8 * i))?;
            }
            return Ok(Stored::Memory);
        }
        let found = self.find(address, Access::Store)?;
        if self.memory.store(found.address, size, value).is_some() {
            self.remember(Access::Store, address, found);
            return Ok(Stored::Memory);
        }
        self.devices
            .store(found.address, size, value)
            .ok_or(Trap::new(Cause::StoreAccess, address))?;
        self.update_external();
        Ok(Stored::Device)
    }

    /// Translates an address or says which exception it is.
    pub(super) fn find(&mut self, address: u64, access: Access) -> Result<Found, Trap> {
        translate(&self.hart, &mut self.memory, address, access).map_err(|denied| {
            let cause = match (denied, access) {
                (Denied::Page, Access::Load) => Cause::LoadPage,
                (Denied::Page, Access::Store) => Cause::StorePage,
                (Denied::Page, Access::Fetch) => Cause::FetchPage,
                (Denied::Table, Access::Load) => Cause::LoadAccess,
                (Denied::Table, Access::Store) => Cause::StoreAccess,
                (Denied::Table, Access::Fetch) => Cause::FetchAccess,
            };
            Trap::new(cause, address)
        })
    }

    /// Puts a translation that lies in memory into the TLB.
    fn remember(&mut self, access: Access, address: u64, found: Found) {
        let at = (found.address - BASE) as usize & !(PAGE as usize - 1);
        if access == Access::Store && self.memory.code.holds(at / PAGE as usize) {
            return;
        }
        self.tlb.fill(access, address, at, found.superpage);
    }

    /// The slot of the decoded entries of the page at `pc`.
    #[inline(always)]
    pub(super) fn code_at(&mut self, pc: u64) -> Result<usize, Trap> {
        let entry = self.tlb.fetch(pc);
        if entry.tag == pc & Tlb::tag_mask(1) {
            return Ok(entry.at);
        }
        self.code_at_slowly(pc)
    }

    #[cold]
    fn code_at_slowly(&mut self, pc: u64) -> Result<usize, Trap> {
        let found = self.find(pc, Access::Fetch)?;
        let page = found.address & !(PAGE - 1);
        let Some(at) = self.memory.offset(page, PAGE as usize) else {
            return Err(Trap::new(Cause::FetchAccess, pc));
        };
        let entered = self.memory.code.enter(at / PAGE as usize);
        if entered.evicted {
            self.owed += EVICTION_STEPS;
            self.tlb.forget_fetches_from(entered.slot);
        }
        if entered.new {
            self.tlb.forget_stores_to(at);
        }
        self.tlb.fill(Access::Fetch, pc, entered.slot, found.superpage);
        Ok(entered.slot)
    }

    /// Decodes the instruction at `pc`.
    #[cold]
    pub(super) fn decode_at(&mut self, pc: u64) -> Result<Inst, Trap> {
        let low = self.fetch_half(pc)?;
        Ok(if low & 3 != 3 {
            decode(low)
        } else if pc % PAGE == PAGE - 2 {
            Inst::CROSSES
        } else {
            decode(low | self.fetch_half(pc.wrapping_add(2))? << 16)
        })
    }

    /// Fetches and decodes an instruction that lies on two pages.
    #[cold]
    pub(super) fn decode_crossing(&mut self, pc: u64) -> Result<Inst, Trap> {
        let low = self.fetch_half(pc)?;
        Ok(decode(low | self.fetch_half(pc.wrapping_add(2))? << 16))
    }

    /// The bits of the instruction at `pc`, or zero if they cannot be fetched.
    pub(super) fn bits_at(&mut self, pc: u64) -> u32 {
        let Ok(low) = self.fetch_half(pc) else { return 0 };
        if low & 3 != 3 {
            return low;
        }
        self.fetch_half(pc.wrapping_add(2)).map_or(0, |high| low | high << 16)
    }

    fn fetch_half(&mut self, pc: u64) -> Result<u32, Trap> {
        let found = self.find(pc, Access::Fetch)?;
        let half = self.memory.load(found.address, 2);
        half.map(|half| half as u32).ok_or(Trap::new(Cause::FetchAccess, pc))
    }

    /// The physical address in memory of an atomic operation, which must be aligned and writable.
    pub(super) fn find_atomic(&mut self, address: u64, size: u64) -> Result<usize, Trap> {
        if !address.is_multiple_of(size) {
            return Err(Trap::new(Cause::StoreMisaligned, address));
        }
        let entry = self.tlb.store(address);
        if entry.tag == address & !(PAGE - 1) {
            return Ok(entry.at + (address % PAGE) as usize);
        }
        let found = self.find(address, Access::Store)?;
        let at = self.memory.offset(found.address, size as usize);
        let at = at.ok_or(Trap::new(Cause::StoreAccess, address))?;
        self.remember(Access::Store, address, found);
        Ok(at)
    }
}

/// Whether an access touches two pages.
fn crosses(address: u64, size: usize) -> bool {
    address % PAGE + size as u64 > PAGE
}
