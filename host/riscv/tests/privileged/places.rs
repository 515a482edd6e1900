//! Where programs access data and enter code: mapped or not, allowed or not.

use super::layout::*;
use super::memory::map;
use super::pages;
use super::program::Writer;
use super::support::asm::SFENCE_VMA;

/// Where data was accessed last: what was remembered of it matters most.
#[derive(Clone, Copy)]
pub enum Focus {
    /// A page of the window.
    Page(u64),
    /// A superpage, and which four KiB of it.
    Big(u64, u64),
}

/// An address and what it is; so that a store there hits no code, tables or logs.
pub fn address(w: &mut Writer) -> (u64, &'static str) {
    let focus = w.focus.filter(|_| w.again || w.rng.below(3) == 0);
    let rng = &mut w.rng;
    let offset = match rng.below(4) {
        // The end of a page, mostly to cross it.
        0 => 4096 - 1 - rng.below(9),
        1 => DATA_HALF + rng.below(DATA_HALF - 8),
        _ => DATA_HALF + rng.below((DATA_HALF - 8) / 8) * 8,
    };
    let data = w.area + at::DATA + 4096 * rng.below(DATA_PAGES);
    let kind = match focus {
        Some(Focus::Page(_)) => 0,
        Some(Focus::Big(..)) => 9,
        None => rng.below(17),
    };
    match kind {
        16 => {
            let page = WINDOW + 4096 * rng.below(WINDOW_PAGES);
            (UPPER | (page + (offset & !7)), "upper window")
        }
        0..=7 => {
            let page = match focus {
                Some(Focus::Page(page)) => page,
                _ => rng.below(WINDOW_PAGES),
            };
            w.focus = Some(Focus::Page(page));
            let alone = page == NOTHING_PAGE || page + 1 == NOTHING_PAGE;
            let offset = if alone { offset & !7 } else { offset };
            (WINDOW + 4096 * page + offset, "window")
        }
        8 => (WINDOW + 4096 * WINDOW_PAGES + offset, "behind the window"),
        9 | 10 => {
            let (page, part) = match focus {
                Some(Focus::Big(page, part)) => (page, part),
                _ => (rng.below(MIDDLE_PAGES), rng.below(SUPER_DATA / 4096 - 1)),
            };
            w.focus = Some(Focus::Big(page, part));
            (BIG + (page << 21) + 4096 * part + offset, "superpage")
        }
        11 => (GIGA + (data & 0x3fff_ffff) + (offset & !7), "GiB"),
        12 => (HIGH + 4096 * rng.below(HIGH_PAGES) + offset, "upper half"),
        13 => (LAST + offset, "last page"),
        14 => {
            let bit = rng.pick(&[38, 39, 40, 55, 56, 62, 63]);
            let upper = rng.pick(&[0, UPPER]);
            let page = WINDOW + 4096 * rng.below(4);
            ((upper | (page + offset)) ^ 1 << bit, "not canonical")
        }
        // Not over the end: behind the last data page there is code.
        _ => (data + (offset & !7), "where it is"),
    }
}

/// Where a piece of code may be, mapped or not, allowed or not.
pub fn code_address(w: &mut Writer) -> u64 {
    let slot = SLOTS.start + w.rng.below(SLOTS.end - SLOTS.start);
    let at = slot * SLOT;
    match w.rng.below(12) {
        0 => HIGH + 4096 * w.rng.below(HIGH_PAGES) + at,
        1 => w.area + at::DATA + 4096 * w.rng.below(DATA_PAGES) + at,
        2 => (address(w).0 & !1) ^ 1 << 40,
        3 => {
            w.rng.pick(&[0, NOTHING, BIG, GIGA, HIGH + 4096 * HIGH_PAGES, (WINDOW + at) | 1 << 63])
        }
        _ => WINDOW + 4096 * w.rng.below(WINDOW_PAGES) + at,
    }
}

/// Where code is entered, and an address for what it accesses. Mostly both are mapped for the mode just
/// before, since random entries forbid most.
pub fn entered(w: &mut Writer, user: bool) -> (u64, u64) {
    if w.rng.below(3) == 0 {
        return (code_address(w), address(w).0);
    }
    let (code, data) = (w.rng.below(NOTHING_PAGE - 1), w.rng.below(NOTHING_PAGE - 1));
    let (code_target, data_target) = (w.rng.below(DATA_PAGES), w.rng.below(DATA_PAGES));
    let mode = if user { pages::U } else { 0 };
    let random = w.rng.next();
    let bits = |other: u64| pages::V | mode | random & (pages::A | pages::D | pages::G) | other;
    for space in 0..2 {
        map(w, space, data, data_target, bits(pages::R | random & pages::W));
        map(w, space, code, code_target, bits(pages::X | random >> 8 & pages::R));
    }
    w.code.word(SFENCE_VMA);
    let slot = SLOTS.start + w.rng.below(SLOTS.end - SLOTS.start);
    let offset = DATA_HALF + w.rng.below(DATA_HALF - 8);
    (WINDOW + 4096 * code + SLOT * slot, WINDOW + 4096 * data + offset)
}
