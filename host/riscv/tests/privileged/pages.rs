//! Page tables of a program, and random entries for them.

use super::layout::*;
use super::support::rng::Rng;

pub const V: u64 = 1;
pub const R: u64 = 1 << 1;
pub const W: u64 = 1 << 2;
pub const X: u64 = 1 << 3;
pub const U: u64 = 1 << 4;
pub const G: u64 = 1 << 5;
pub const A: u64 = 1 << 6;
pub const D: u64 = 1 << 7;

/// The middle entry of the window.
const WINDOW_ENTRY: u64 = WINDOW >> 21 & 0x1ff;

pub fn entry(address: u64, bits: u64) -> u64 {
    address >> 12 << 10 | bits
}

/// `satp` for one of a program's address spaces.
pub fn satp(area: u64, space: usize) -> u64 {
    8 << 60 | (area + at::ROOTS[space]) >> 12
}

/// Where the entry of a page of the window is.
pub fn window_entry(area: u64, space: usize, page: u64) -> u64 {
    area + at::LEAVES[space] + 8 * page
}

/// Where the entry of a superpage behind the window is.
pub fn big_entry(area: u64, space: usize, page: u64) -> u64 {
    area + at::MIDDLES[space] + 8 * (WINDOW_ENTRY + 1 + page)
}

/// Where the entry of a page of the upper half is.
pub fn high_entry(area: u64, page: u64) -> u64 {
    area + at::HIGH_LEAF + 8 * page
}

/// Permissions and marks, all kinds; mostly such that something is allowed.
fn bits(rng: &mut Rng) -> u64 {
    let mut bits = rng.pick(&[R, R | W, R | W, X, R | X, R | W | X, R | W | X, W, W | X, 0]);
    if rng.below(10) != 0 {
        bits |= V;
    }
    for (bit, one_in) in [(U, 2), (G, 4), (A, 2), (D, 2), (1 << 8, 4), (1 << 9, 4)] {
        if rng.below(one_in) == 0 {
            bits |= bit;
        }
    }
    if rng.below(24) == 0 {
        bits |= 1 << (54 + rng.below(10));
    }
    bits
}

/// A leaf of four KiB: one of the data pages, or a page that is nothing.
pub fn leaf(rng: &mut Rng, area: u64, number: u64) -> u64 {
    let page = if number == NOTHING_PAGE {
        NOTHING + 4096 * rng.below(4)
    } else {
        area + at::DATA + 4096 * rng.below(DATA_PAGES)
    };
    entry(page, bits(rng))
}

/// Bits of a leaf above the lowest level, where an entry without permissions would be a table. Code is
/// not run there.
fn big_bits(rng: &mut Rng) -> u64 {
    let bits = bits(rng) & !X;
    if bits & (R | W) == 0 { bits & !V } else { bits }
}

/// A leaf of two MiB; now and then one that is not aligned as it must be, or is nothing.
pub fn big_leaf(rng: &mut Rng) -> u64 {
    let target = match rng.below(8) {
        0 => SUPER + 4096 * (1 + rng.below(511)),
        1 => NOTHING >> 21 << 21,
        _ => SUPER,
    };
    entry(target, big_bits(rng))
}

/// A leaf of a GiB at the place of memory.
fn giga_leaf(rng: &mut Rng) -> u64 {
    let target = riscv::BASE + if rng.below(8) == 0 { 4096 << rng.below(18) } else { 0 };
    entry(target, big_bits(rng))
}

/// An entry of a table, at its place, with bits that are reserved there, most of the time.
pub fn table(rng: &mut Rng, area: u64, space: usize) -> (u64, u64) {
    let wrong = if rng.below(3) == 0 { 0 } else { rng.pick(&[U, A, D, A | D, 1 << 60, V]) };
    let bits = (V | rng.pick(&[0, G, 1 << 9])) ^ wrong;
    match rng.below(2) {
        0 => (area + at::ROOTS[space], entry(area + at::MIDDLES[space], bits)),
        _ => {
            let at = area + at::MIDDLES[space] + 8 * WINDOW_ENTRY;
            (at, entry(area + at::LEAVES[space], bits))
        }
    }
}

/// All tables of a program, as the bytes from the start of its area.
pub fn tables(rng: &mut Rng, area: u64) -> Vec<u8> {
    let mut bytes = vec![0; at::DATA as usize];
    let mut put = |address: u64, value: u64| {
        let offset = (address - area) as usize;
        bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    };
    for space in 0..2 {
        let root = area + at::ROOTS[space];
        put(root, entry(area + at::MIDDLES[space], V));
        // The same where bit 38 is set, so that what is not canonical would find something.
        put(root + 8 * 256, entry(area + at::MIDDLES[space], V));
        put(root + 8 * (GIGA >> 30), giga_leaf(rng));
        put(root + 8 * 2, entry(riscv::BASE, V | R | W | X | A | D | rng.pick(&[0, G])));
        put(root + 8 * 511, entry(area + at::HIGH_MIDDLE, V));
        put(
            area + at::MIDDLES[space] + 8 * WINDOW_ENTRY,
            entry(area + at::LEAVES[space], V | rng.pick(&[0, 0, G, 1 << 8])),
        );
        for page in 0..MIDDLE_PAGES {
            put(big_entry(area, space, page), big_leaf(rng));
        }
        for page in 0..WINDOW_PAGES {
            put(window_entry(area, space, page), leaf(rng, area, page));
        }
    }
    put(area + at::HIGH_MIDDLE + 8 * 511, entry(area + at::HIGH_LEAF, V));
    for page in 0..HIGH_PAGES {
        put(high_entry(area, page), leaf(rng, area, page));
    }
    put(high_entry(area, 511), leaf(rng, area, 511));
    bytes
}
