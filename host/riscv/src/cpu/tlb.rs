//! The software TLB: which pages of the guest's address space lie where.
//!
//! Read by every load, store and fetch; filled by [`super::access`] after a page walk. Three tables
//! (loads, stores, fetches) in each of three contexts: user mode, supervisor mode, and supervisor mode
//! that may touch user pages. A mode switch selects a context and flushes nothing.
//!
//! Invariants: an entry of a table allows that kind of access without any further check; pages that
//! hold decoded code are never in a store table, so that a store to one is seen.

use super::hart::{Hart, status};
use super::trap::Mode;
use alloc::boxed::Box;

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Entries of each table: 256 pages reach one MiB, the most that stays in a first-level cache.
const ENTRIES: usize = 256;

/// A tag that no address has: tags have their low bits clear.
const NO_TAG: u64 = u64::MAX;

/// A virtual page and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Virtual address of the page.
    pub tag: u64,
    /// Loads and stores: the offset of the page in memory. Fetches: the slot of its decoded page.
    pub at: usize,
}

const EMPTY: Entry = Entry { tag: NO_TAG, at: 0 };

/// One kind of access in one context.
pub type Table = [Entry; ENTRIES];

/// The kinds of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Loads.
    Load,
    /// Stores and atomics.
    Store,
    /// Instruction fetches.
    Fetch,
}

/// The tables of one context.
#[derive(Clone, Debug)]
struct Context {
    load: Table,
    store: Table,
    fetch: Table,
    /// Whether anything was filled in since the last flush.
    used: bool,
}

const EMPTY_CONTEXT: Context = Context {
    load: [EMPTY; ENTRIES],
    store: [EMPTY; ENTRIES],
    fetch: [EMPTY; ENTRIES],
    used: false,
};

const USER: usize = 0;
const SUPERVISOR: usize = 1;
const SUPERVISOR_SUM: usize = 2;

/// The TLB.
#[derive(Clone, Debug)]
pub struct Tlb {
    /// Four, so that a masked index needs no bounds check; the last is not used.
    contexts: Box<[Context; 4]>,
    current: usize,
    /// Whether an entry may come from a superpage, for addresses of the lower and the upper half: then
    /// flushing one address must flush all.
    superpages: [bool; 2],
}

impl Tlb {
    /// An empty one.
    pub fn new() -> Self {
        let contexts = Box::new([EMPTY_CONTEXT; 4]);
        Self { contexts, current: SUPERVISOR, superpages: [false; 2] }
    }

    /// Uses the context that fits the hart's mode.
    pub fn select(&mut self, hart: &Hart) {
        self.current = match hart.mode {
            Mode::User => USER,
            Mode::Supervisor if hart.sstatus & status::SUM == 0 => SUPERVISOR,
            Mode::Supervisor => SUPERVISOR_SUM,
        };
    }

    #[inline(always)]
    fn index(address: u64) -> usize {
        (address / PAGE) as usize % ENTRIES
    }

    /// The entry that a load of `size` bytes would use: it applies if its tag equals
    /// `address & tag_mask(size)`.
    #[inline(always)]
    pub fn load(&self, address: u64) -> Entry {
        self.contexts[self.current & 3].load[Self::index(address)]
    }

    /// The same for a store.
    #[inline(always)]
    pub fn store(&self, address: u64) -> Entry {
        self.contexts[self.current & 3].store[Self::index(address)]
    }

    /// The same for a fetch.
    #[inline(always)]
    pub fn fetch(&self, address: u64) -> Entry {
        self.contexts[self.current & 3].fetch[Self::index(address)]
    }

    /// Keeps the low bits of an address that a naturally aligned access has clear, so that comparing
    /// with a tag sends misaligned ones the slow way.
    #[inline(always)]
    pub const fn tag_mask(size: usize) -> u64 {
        !(PAGE - 1) | (size as u64 - 1)
    }

    /// Remembers a translation.
    pub fn fill(&mut self, access: Access, address: u64, at: usize, superpage: bool) {
        let context = &mut self.contexts[self.current & 3];
        let table = match access {
            Access::Load => &mut context.load,
            Access::Store => &mut context.store,
            Access::Fetch => &mut context.fetch,
        };
        table[Self::index(address)] = Entry { tag: address & !(PAGE - 1), at };
        context.used = true;
        self.superpages[(address >> 63) as usize] |= superpage;
    }

    /// Forgets everything.
    pub fn flush(&mut self) {
        for context in self.contexts.iter_mut().filter(|c| c.used) {
            *context = EMPTY_CONTEXT;
        }
        self.superpages = [false; 2];
    }

    /// Forgets what may come from the leaf that translates `address`.
    pub fn flush_address(&mut self, address: u64) {
        if self.superpages[(address >> 63) as usize] {
            return self.flush();
        }
        let (tag, index) = (address & !(PAGE - 1), Self::index(address));
        for context in self.contexts.iter_mut() {
            for table in [&mut context.load, &mut context.store, &mut context.fetch] {
                if table[index].tag == tag {
                    table[index] = EMPTY;
                }
            }
        }
    }

    /// Sends stores to the page at this offset of memory the slow way: it holds decoded code now.
    pub fn forget_stores_to(&mut self, at: usize) {
        for context in self.contexts.iter_mut() {
            context.store.iter_mut().filter(|e| e.at == at).for_each(|e| *e = EMPTY);
        }
    }

    /// Forgets fetches from a decoded page that is given up.
    pub fn forget_fetches_from(&mut self, at: usize) {
        for context in self.contexts.iter_mut() {
            context.fetch.iter_mut().filter(|e| e.at == at).for_each(|e| *e = EMPTY);
        }
    }
}

impl Default for Tlb {
    fn default() -> Self {
        Self::new()
    }
}
