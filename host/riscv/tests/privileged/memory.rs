//! Loads, stores, atomic operations, and changes of what they depend on.

use super::items::{SATP, SSTATUS};
use super::layout::*;
use super::pages::{self, entry};
use super::places::{Focus, address};
use super::program::Writer;
use super::snippets;
use super::support::asm::*;

const SUM: u64 = 1 << 18;
const MXR: u64 = 1 << 19;

pub fn access(w: &mut Writer) -> String {
    let (address, name) = address(w);
    let word = snippets::access(&mut w.rng);
    w.li(5, address);
    w.code.word(word);
    format!("access {word:#010x} at {address:#x} ({name})")
}

/// A load first: see "an atomic operation that may not" in the table of the test.
pub fn atomic(w: &mut Writer) -> String {
    let (address, name) = address(w);
    let width = w.rng.pick(&[2, 3]);
    let size = 1u64 << width;
    let reserved = w.rng.below(2) == 0;
    let aligned = !reserved || w.rng.below(4) != 0;
    let address = if aligned { address / size * size } else { address };
    let target = w.rng.pick(&[0, 6, 7, 31]);
    let source = snippets::register(&mut w.rng);
    let order = w.rng.below(4) as u32;
    let a = |f5: u32, rd, rs2| r(0x2f, width, f5 << 2 | order, rd, 5, rs2);
    w.li(5, address);
    if reserved {
        w.code.words(&[a(2, target, 0), a(3, 8, source)]);
        return format!("lr, sc of {size} at {address:#x} ({name})");
    }
    let f5 = w.rng.pick(&[0, 1, 4, 8, 12, 16, 20, 24, 28]);
    w.code.words(&[ld(9, 5, 0), a(f5, target, source)]);
    format!("atomic {f5} of {size} at {address:#x} ({name})")
}

/// The same page before and after something that decides what may be done with it.
pub fn twice(w: &mut Writer) -> String {
    let change = match w.focus {
        _ if w.rng.below(2) == 0 => may,
        Some(Focus::Big(..)) => change_superpage,
        _ => change_page,
    };
    w.following = vec![again, change, again, may];
    access(w)
}

fn again(w: &mut Writer) -> String {
    w.again = true;
    let text = access(w);
    w.again = false;
    format!("again, {text}")
}

/// Whether supervisor mode may access user pages, and loads read code.
fn may(w: &mut Writer) -> String {
    let bits = w.rng.pick(&[SUM, MXR, SUM | MXR]);
    let kind = w.rng.pick(&[2, 3]);
    w.li(5, bits);
    w.code.word(i(0x73, kind, 0, 5, SSTATUS as i32));
    format!("sstatus, kind {kind}, {bits:#x}")
}

/// A new entry for a page, mostly for the one that was accessed last, and a fence that covers it.
pub fn change_page(w: &mut Writer) -> String {
    if w.rng.below(8) == 0 {
        let page = w.rng.pick(&[0, 1, 2, 3, 511]);
        let value = pages::leaf(&mut w.rng, w.area, page);
        store_entry(w, pages::high_entry(w.area, page), value);
        return fence(w, HIGH + 4096 * page, 4096, value);
    }
    let page = match w.focus {
        Some(Focus::Page(page)) if w.rng.below(4) != 0 => page,
        _ => w.rng.below(WINDOW_PAGES),
    };
    let value = pages::leaf(&mut w.rng, w.area, page);
    for space in 0..2 {
        store_entry(w, pages::window_entry(w.area, space, page), value);
    }
    // A fence of one address says nothing of the other that has the same entry.
    fence(w, UPPER | (WINDOW + 4096 * page), 4096, value);
    fence(w, WINDOW + 4096 * page, 4096, value)
}

pub fn change_superpage(w: &mut Writer) -> String {
    let page = match w.focus {
        Some(Focus::Big(page, _)) if w.rng.below(4) != 0 => page,
        _ => w.rng.below(MIDDLE_PAGES),
    };
    let value = pages::big_leaf(&mut w.rng);
    for space in 0..2 {
        store_entry(w, pages::big_entry(w.area, space, page), value);
    }
    fence(w, BIG + (page << 21), 2 << 20, value)
}

/// A table's entry becomes wrong for one access, and right again.
pub fn change_table(w: &mut Writer) -> String {
    let space = w.rng.below(2) as usize;
    let (at, value) = pages::table(&mut w.rng, w.area, space);
    store_entry(w, at, value);
    w.code.word(SFENCE_VMA);
    format!("table entry at {at:#x} becomes {value:#x}")
}

fn store_entry(w: &mut Writer, at: u64, value: u64) {
    w.li(5, at);
    w.li(6, value);
    w.code.word(sd(6, 5, 0));
}

/// All four kinds of `sfence.vma`, for what an entry maps. There are no address space identifiers: those
/// in registers are zero.
fn fence(w: &mut Writer, address: u64, size: u64, value: u64) -> String {
    let inside = w.rng.below(size);
    w.li(5, address + inside);
    let (by_address, by_space) = (w.rng.pick(&[0, 5]), w.rng.pick(&[0, 0, 7]));
    w.code.words(&[addi(7, 0, 0), r(0x73, 0, 9, 0, by_address, by_space)]);
    format!("entry of {address:#x} becomes {value:#x}, fence {by_address} {by_space}")
}

/// Maps a page of a space to a data page.
pub fn map(w: &mut Writer, space: usize, page: u64, data: u64, bits: u64) {
    let value = entry(w.area + at::DATA + 4096 * data, bits);
    store_entry(w, pages::window_entry(w.area, space, page), value);
}

/// To another address space, or to none for a moment.
pub fn switch_space(w: &mut Writer) -> String {
    let space = w.rng.below(2) as usize;
    let there = pages::satp(w.area, space);
    if w.rng.below(3) != 0 {
        w.set(SATP, there);
        w.code.words(&[csrrs(6, SATP, 0), SFENCE_VMA]);
        return format!("to space {space}");
    }
    // Modes that are reserved change nothing.
    let value = w.rng.pick(&[0, 1 << 60 | 5, 7 << 60 | 5, 15 << 60]);
    w.set(SATP, value);
    w.code.words(&[csrrs(6, SATP, 0), SFENCE_VMA]);
    let what = access(w);
    w.set(SATP, there);
    w.code.word(SFENCE_VMA);
    format!("satp {value:#x}, {what}, to space {space}")
}
