//! The cache of decoded code, by physical page.
//!
//! Read by the interpreter for every instruction; written when it meets a halfword for the first time,
//! and by every store to a page that is in the cache, which forgets the halfwords it may have changed.
//! So code that changes itself, or is changed by a device, is seen at once, and `fence.i` has nothing
//! to do.

use crate::inst::Inst;

/// Decoded entries of one page: one per halfword, and two marks behind them for instructions that end
/// at the page's end or cross it.
pub const STRIDE: usize = HALFWORDS + 2;

/// Halfwords of a page.
pub const HALFWORDS: usize = 2048;

/// Pages kept decoded: 16 MiB of entries, for 4 MiB of hot code.
const SLOTS: usize = 1024;

/// A page that has no slot.
const NO_SLOT: u16 = u16::MAX;

/// The cache.
#[derive(Clone, Debug)]
pub struct Code {
    entries: Vec<Inst>,
    /// The slot of each page of memory.
    slot_of_page: Vec<u16>,
    /// The page in each slot.
    page_of_slot: Vec<usize>,
    /// The slot to give up next, when all are taken.
    next: usize,
}

/// What [`Code::enter`] did.
#[derive(Clone, Copy, Debug)]
pub struct Entered {
    /// Where the page's entries start.
    pub at: usize,
    /// Whether the page was not decoded before.
    pub new: bool,
    /// Whether `at` belonged to another page before.
    pub evicted: bool,
}

impl Code {
    /// An empty cache for a memory of that many pages.
    pub fn new(pages: usize) -> Self {
        Self {
            entries: Vec::new(),
            slot_of_page: vec![NO_SLOT; pages],
            page_of_slot: Vec::new(),
            next: 0,
        }
    }

    /// The entry at an index.
    #[inline(always)]
    pub fn at(&self, index: usize) -> Inst {
        self.entries[index]
    }

    /// Keeps a decoded instruction.
    pub fn set(&mut self, index: usize, inst: Inst) {
        self.entries[index] = inst;
    }

    /// Whether the page has decoded entries.
    #[inline(always)]
    pub fn holds(&self, page: usize) -> bool {
        self.slot_of_page.get(page).is_some_and(|&slot| slot != NO_SLOT)
    }

    /// Finds or makes the entries of a page of memory.
    pub fn enter(&mut self, page: usize) -> Entered {
        let slot = self.slot_of_page[page];
        if slot != NO_SLOT {
            return Entered { at: usize::from(slot) * STRIDE, new: false, evicted: false };
        }
        let (slot, evicted) = if self.page_of_slot.len() < SLOTS {
            self.entries.resize(self.entries.len() + STRIDE, Inst::END_OF_PAGE);
            self.page_of_slot.push(page);
            (self.page_of_slot.len() - 1, false)
        } else {
            let slot = self.next;
            self.next = (self.next + 1) % SLOTS;
            self.slot_of_page[self.page_of_slot[slot]] = NO_SLOT;
            self.page_of_slot[slot] = page;
            (slot, true)
        };
        self.slot_of_page[page] = slot as u16;
        let at = slot * STRIDE;
        self.entries[at..at + HALFWORDS].fill(Inst::UNDECODED);
        Entered { at, new: true, evicted }
    }

    /// Forgets what a write of `size` bytes at offset `at` of memory may have changed.
    #[inline]
    pub fn written(&mut self, at: usize, size: usize) {
        if size == 0 {
            return;
        }
        for page in at / 4096..=(at + size - 1) / 4096 {
            if self.holds(page) {
                self.forget(page, at, size);
            }
        }
    }

    #[cold]
    fn forget(&mut self, page: usize, at: usize, size: usize) {
        let base = usize::from(self.slot_of_page[page]) * STRIDE;
        let start = at.saturating_sub(page * 4096).min(4095);
        let end = (at + size - page * 4096).min(4096);
        // An instruction of four bytes may begin one halfword before the first one written.
        let first = (start / 2).saturating_sub(1);
        let last = (end - 1) / 2;
        self.entries[base + first..=base + last].fill(Inst::UNDECODED);
    }
}
