//! The cache of decoded code, by physical page.
//!
//! Read by the interpreter for every instruction; written when it meets a halfword for the first time,
//! and by every store to a page that is in the cache, which forgets the halfwords it may have changed.
//! So code that changes itself, or is changed by a device, is seen: at once on other pages, on the page
//! that runs with the next `fence.i`, jump to another page, trap or slice.

use crate::inst::Inst;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Decoded entries of one page: one per halfword, and two marks behind them for instructions that end
/// at the page's end or cross it.
pub type Page = [Inst; HALFWORDS + 2];

/// Halfwords of a page.
pub const HALFWORDS: usize = 2048;

/// Pages kept decoded: 16 MiB of entries, for 4 MiB of hot code.
const SLOTS: usize = 1024;

/// A page that has no slot.
const NO_SLOT: u16 = u16::MAX;

/// A decoded page and whose it is.
#[derive(Clone, Debug)]
struct Slot {
    /// The page of memory.
    of: usize,
    /// Its entries; not there while the interpreter has them.
    page: Option<Box<Page>>,
    /// Entries to forget when the interpreter gives the page back: first and last.
    stale: Option<(usize, usize)>,
}

/// The cache.
#[derive(Clone, Debug)]
pub struct Code {
    slots: Vec<Slot>,
    /// The slot of each page of memory.
    slot_of_page: Vec<u16>,
    /// The slot to give up next, when all are taken.
    next: usize,
}

/// What [`Code::enter`] did.
#[derive(Clone, Copy, Debug)]
pub struct Entered {
    /// The slot of the page.
    pub slot: usize,
    /// Whether the page was not decoded before.
    pub new: bool,
    /// Whether the slot belonged to another page before.
    pub evicted: bool,
}

impl Code {
    /// An empty cache for a memory of that many pages.
    pub fn new(pages: usize) -> Self {
        Self { slots: Vec::new(), slot_of_page: vec![NO_SLOT; pages], next: 0 }
    }

    /// Whether the page of memory has decoded entries.
    #[inline(always)]
    pub fn holds(&self, page: usize) -> bool {
        self.slot_of_page.get(page).is_some_and(|&slot| slot != NO_SLOT)
    }

    /// Lends the entries of a slot to the interpreter, which reads them without looking at anything
    /// else, and decodes into them.
    #[inline(always)]
    pub fn take(&mut self, slot: usize) -> Box<Page> {
        self.slots[slot].page.take().unwrap_or_else(blank)
    }

    /// Takes the entries back. What was written to meanwhile is forgotten now: `fence.i` gives the page
    /// back, and before one nobody may expect to see a change.
    #[inline(always)]
    pub fn put(&mut self, slot: usize, page: Box<Page>) {
        let slot = &mut self.slots[slot];
        slot.page = Some(page);
        if let Some((first, last)) = slot.stale.take() {
            slot.forget(first, last);
        }
    }

    /// Finds or makes the entries of a page of memory.
    pub fn enter(&mut self, page: usize) -> Entered {
        let slot = self.slot_of_page[page];
        if slot != NO_SLOT {
            return Entered { slot: slot.into(), new: false, evicted: false };
        }
        let entries = Slot { of: page, page: Some(blank()), stale: None };
        let (slot, evicted) = if self.slots.len() < SLOTS {
            self.slots.push(entries);
            (self.slots.len() - 1, false)
        } else {
            let slot = self.next;
            self.next = (self.next + 1) % SLOTS;
            self.slot_of_page[self.slots[slot].of] = NO_SLOT;
            self.slots[slot] = entries;
            (slot, true)
        };
        self.slot_of_page[page] = slot as u16;
        Entered { slot, new: true, evicted }
    }

    /// Forgets what a write of `size` bytes at offset `at` of memory may have changed.
    #[inline]
    pub fn written(&mut self, at: usize, size: usize) {
        if size == 0 {
            return;
        }
        for page in at / 4096..=(at + size - 1) / 4096 {
            if self.holds(page) {
                let start = at.saturating_sub(page * 4096).min(4095);
                let end = (at + size - page * 4096).min(4096);
                // An instruction of four bytes may begin one halfword before the first one written.
                let first = (start / 2).saturating_sub(1);
                self.slots[usize::from(self.slot_of_page[page])].forget(first, (end - 1) / 2);
            }
        }
    }
}

impl Slot {
    #[cold]
    fn forget(&mut self, first: usize, last: usize) {
        match &mut self.page {
            Some(page) => page[first..=last].fill(Inst::UNDECODED),
            None => {
                let (a, b) = self.stale.unwrap_or((first, last));
                self.stale = Some((a.min(first), b.max(last)));
            }
        }
    }
}

/// A page of which nothing is decoded.
fn blank() -> Box<Page> {
    let mut page = Box::new([Inst::END_OF_PAGE; HALFWORDS + 2]);
    page[..HALFWORDS].fill(Inst::UNDECODED);
    page
}
