//! Code that changes, and code that lies on two pages.

use super::items::{self, SEPC, SSTATUS};
use super::layout::*;
use super::memory;
use super::pages::{self, A, D, R, U, V, W, X};
use super::places;
use super::program::Writer;
use super::snippets;
use super::support::asm::*;

const C_EBREAK: u32 = 0x9002;

pub fn any(w: &mut Writer) -> String {
    match w.rng.below(3) {
        0 => elsewhere(w),
        1 => here(w),
        _ => on_two_pages(w),
    }
}

/// Replaces the first instruction of a piece through one address and runs it there or at another; mostly
/// one that ran before. Another page is entered, so that this shows without `fence.i`, too, on both sides.
fn elsewhere(w: &mut Writer) -> String {
    let slots = SLOTS.end - SLOTS.start;
    let any = w.area
        + at::DATA
        + 4096 * w.rng.below(DATA_PAGES)
        + SLOT * (SLOTS.start + w.rng.below(slots));
    let at = w.changed.filter(|_| w.rng.below(3) != 0).unwrap_or(any);
    w.changed = Some(at);
    let word = snippets::integer(&mut w.rng);
    let target = if w.rng.below(4) != 0 { at } else { places::code_address(w) };
    let fenced = w.rng.below(2) == 0;
    let (x5, _) = places::address(w);
    w.li(6, target);
    w.li(7, at);
    w.li(8, word.into());
    w.li(5, x5);
    w.code.word(sw(8, 7, 0));
    if fenced {
        w.code.word(FENCE_I);
    }
    if target != at {
        // See "fetches from user pages" in the table of the test.
        w.code.word(SFENCE_VMA);
    }
    w.code.word(jalr(1, 6, 0));
    format!("{at:#x} becomes {word:#x}, fenced {fenced}, jump to {target:#x}")
}

/// Replaces the instruction after the fence in the page that runs, twice.
fn here(w: &mut Writer) -> String {
    let words = [snippets::integer(&mut w.rng), snippets::integer(&mut w.rng)];
    // x5 where, x6 what, x7 how often: random instructions may write those, so they are loaded again.
    for word in words {
        w.li(6, word.into());
        let at = w.code.here() + 16;
        w.code.la(5, at).words(&[sw(6, 5, 0), FENCE_I, addi(8, 8, 1)]);
    }
    format!("the next instruction becomes {:#x}, then {:#x}", words[0], words[1])
}

/// An instruction of four bytes of which each page has two, in user or supervisor mode; sometimes the
/// second page may not be run.
fn on_two_pages(w: &mut Writer) -> String {
    let space = w.rng.below(2) as usize;
    let page = w.rng.below(NOTHING_PAGE - 1);
    let (first, second) = (w.rng.below(DATA_PAGES), w.rng.below(DATA_PAGES));
    let word = snippets::integer(&mut w.rng);
    let user = w.rng.pick(&[0, U]);
    let bits = V | R | W | X | A | D | user;
    let refused = w.rng.below(3) == 0;
    let second_bits = if refused { w.rng.pick(&[0, V | R, bits ^ U, bits & !X]) } else { bits };
    memory::map(w, space, page, first, bits);
    memory::map(w, space, page + 1, second, second_bits);
    w.set(items::SATP, pages::satp(w.area, space));
    w.code.word(SFENCE_VMA);
    let data = w.area + at::DATA;
    for (address, half) in [
        (data + 4096 * first + 0xffe, word & 0xffff),
        (data + 4096 * second, word >> 16),
        (data + 4096 * second + 2, C_EBREAK),
    ] {
        w.li(5, address);
        w.li(6, half.into());
        w.code.word(s(0x23, 1, 5, 6, 0));
    }
    w.code.word(FENCE_I);
    w.li(5, 1 << 8);
    w.code.word(if user == 0 { csrrs(0, SSTATUS, 5) } else { csrrc(0, SSTATUS, 5) });
    let target = WINDOW + 4096 * page + 0xffe;
    w.set(SEPC, target);
    w.code.word(SRET);
    format!("{word:#x} at {target:#x}, entries {bits:#x} and {second_bits:#x}")
}
