//! Sv39 page walks.
//!
//! Called by [`super::access`] when the TLB has no answer. The A and D bits are set by the walk, as
//! the extension Svadu describes, whether or not a guest asked for it: a guest that manages them by
//! faults (Svade) sees them set and never faults for them, which every operating system must accept.
//!
//! Privileged specification, section "Sv39: Page-Based 39-bit Virtual-Memory System". Svnapot and
//! Svpbmt are not implemented; their bits are reserved and fault.

use super::hart::{Hart, status};
use super::tlb::Access;
use super::trap::Mode;
use crate::memory::Memory;

const VALID: u64 = 1;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 2;
const EXECUTE: u64 = 1 << 3;
const USER: u64 = 1 << 4;
const ACCESSED: u64 = 1 << 6;
const DIRTY: u64 = 1 << 7;

/// Bits of an entry that must be zero.
const RESERVED: u64 = 0x3ff << 54;

/// Where the physical page number is in an entry, and its mask once shifted down.
const PPN_SHIFT: u32 = 10;
const PPN_MASK: u64 = (1 << 44) - 1;

/// `satp`: the mode field, and its values that are implemented.
pub const SATP_MODE_SHIFT: u32 = 60;
/// No translation.
pub const BARE: u64 = 0;
/// Three levels.
pub const SV39: u64 = 8;

/// Why an address has no translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The page tables forbid it.
    Page,
    /// A page table lies outside of memory.
    Table,
}

/// A translated address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Physical address.
    pub address: u64,
    /// Whether the leaf covers more than a page.
    pub superpage: bool,
}

/// Translates an address for the hart in its mode.
pub fn translate(
    hart: &Hart,
    memory: &mut Memory,
    address: u64,
    access: Access,
) -> Result<Found, Denied> {
    if hart.satp >> SATP_MODE_SHIFT == BARE {
        return Ok(Found { address, superpage: false });
    }
    // Bits 63 to 39 must repeat bit 38.
    if (address as i64) << 25 >> 25 != address as i64 {
        return Err(Denied::Page);
    }
    let mut table = (hart.satp & PPN_MASK) << 12;
    for level in (0..3u32).rev() {
        let index = address >> (12 + 9 * level) & 0x1ff;
        let at = table + 8 * index;
        let entry = memory.load(at, 8).ok_or(Denied::Table)?;
        let writable_only = entry & (READ | WRITE) == WRITE;
        if entry & VALID == 0 || writable_only || entry & RESERVED != 0 {
            return Err(Denied::Page);
        }
        let page = entry >> PPN_SHIFT & PPN_MASK;
        if entry & (READ | EXECUTE) == 0 {
            if entry & (USER | ACCESSED | DIRTY) != 0 {
                return Err(Denied::Page);
            }
            table = page << 12;
            continue;
        }
        if !permits(hart, entry, access) {
            return Err(Denied::Page);
        }
        let low = (1u64 << (9 * level)) - 1;
        if page & low != 0 {
            return Err(Denied::Page);
        }
        let marks = if access == Access::Store { ACCESSED | DIRTY } else { ACCESSED };
        if entry & marks != marks {
            memory.store(at, 8, entry | marks).ok_or(Denied::Table)?;
        }
        let page = page | (address >> 12 & low);
        return Ok(Found { address: page << 12 | address & 0xfff, superpage: level > 0 });
    }
    Err(Denied::Page)
}

fn permits(hart: &Hart, entry: u64, access: Access) -> bool {
    let user_page = entry & USER != 0;
    // Supervisor mode never fetches from user pages, and touches them only when software says so.
    let denied = match hart.mode {
        Mode::User => !user_page,
        Mode::Supervisor => {
            user_page && (access == Access::Fetch || hart.sstatus & status::SUM == 0)
        }
    };
    if denied {
        return false;
    }
    match access {
        Access::Fetch => entry & EXECUTE != 0,
        Access::Store => entry & WRITE != 0,
        Access::Load => {
            entry & READ != 0 || hart.sstatus & status::MXR != 0 && entry & EXECUTE != 0
        }
    }
}
