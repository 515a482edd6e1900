//! The things that programs do, and how often.

use super::layout::*;
use super::pages::{self, entry};
use super::program::{Focus, Writer};
use super::snippets;
use super::support::asm::*;

pub const SSTATUS: u32 = 0x100;
pub const SIE: u32 = 0x104;
pub const STVEC: u32 = 0x105;
pub const SEPC: u32 = 0x141;
pub const SCAUSE: u32 = 0x142;
pub const SIP: u32 = 0x144;
pub const SATP: u32 = 0x180;

const SPP: u64 = 1 << 8;
/// SIE, SPIE, SPP, FS, SUM, MXR.
const STATUS: u64 = 0xc_6122;

/// CSRs and the bits of them that both sides define: see the table of the test.
const CSRS_AND_BITS: [(u32, u64); 13] = [
    (SSTATUS, STATUS),
    (SSTATUS, STATUS),
    (SSTATUS, 0xc_0000),
    (SIE, 0x222),
    (SIP, 0x222),
    (0x140, u64::MAX),
    (SEPC, !1),
    (SCAUSE, u64::MAX),
    (0x143, u64::MAX),
    (0x106, 7),
    (0x10a, 1),
    (2, 7),
    (3, 0xff),
];

/// Instructions that are illegal in supervisor mode, or read as something else by mistake.
const ILLEGAL: [u32; 18] = [
    0,
    u32::MAX,
    0x3020_0073,           // mret
    0x0020_0073,           // uret
    0x7020_0073,           // mnret
    0x1050_0173,           // wfi with a destination
    0x1620_0073,           // sinval.vma
    0x6000_4073,           // hlv.b
    0x2201_0043 | 3 << 25, // fmadd of a format that is not there
    0x0000_000b,           // custom
    0x0200_4057,           // a vector instruction
    0x3000_2073,           // mstatus
    0xf140_2073,           // mhartid
    0xc000_1073,           // writing cycle
    0x5c00_2073,           // a CSR that does not exist
    0x2000_2073,           // a CSR of hypervisors
    0x0001_8000,           // compressed zeros, then something
    0x7b20_0073,           // dret
];

/// Writes one; says what it is.
pub fn any(w: &mut Writer) -> String {
    match w.rng.below(32) {
        0..=8 => access(w),
        9..=11 => atomic(w),
        12..=15 => csr(w),
        16..=18 => change_page(w),
        19 if w.rng.below(2) == 0 => change_table(w),
        19 => change_superpage(w),
        20 => switch_space(w),
        21..=22 => jump(w),
        23..=25 => lower(w),
        26 if w.rng.below(2) == 0 => illegal(w),
        26 | 27 => super::changing::any(w),
        28 => super::firmware::any(w),
        29 => interrupt(w),
        30 => vector(w),
        _ => plain(w),
    }
}

/// An address and what it is; so that a store there hits no code, tables or logs.
pub fn address(w: &mut Writer) -> (u64, &'static str) {
    let focus = w.focus.filter(|_| w.rng.below(3) == 0);
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
        Some(Focus::Big(_)) => 9,
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
            let page = match focus {
                Some(Focus::Big(page)) => page,
                _ => rng.below(MIDDLE_PAGES),
            };
            w.focus = Some(Focus::Big(page));
            (BIG + (page << 21) + rng.below(SUPER_DATA - 16), "superpage")
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

fn access(w: &mut Writer) -> String {
    let (address, name) = address(w);
    let word = snippets::access(&mut w.rng);
    w.li(5, address);
    w.code.word(word);
    format!("access {word:#010x} at {address:#x} ({name})")
}

/// A load first: see "an atomic operation that may not" in the table of the test.
fn atomic(w: &mut Writer) -> String {
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

fn csr(w: &mut Writer) -> String {
    let (csr, bits) = w.rng.pick(&CSRS_AND_BITS);
    let kind = w.rng.pick(&[1, 2, 3, 1, 2, 3, 5, 6, 7]);
    let old = snippets::register(&mut w.rng);
    let mut value = w.rng.next() & bits;
    if csr == 2 || csr == 3 {
        // Whether a write that sets or clears nothing makes the unit dirty is open.
        value |= 1;
    }
    if kind < 4 {
        w.li(5, value);
        w.code.word(i(0x73, kind, old, 5, csr as i32));
    } else {
        w.code.word(i(0x73, kind, old, (value & 31) as u32, csr as i32));
    }
    w.code.word(csrrs(6, csr, 0));
    format!("CSR {csr:#x}, kind {kind}, {value:#x}")
}

/// A new entry for a page, mostly for the one that was accessed last, and a fence that covers it.
fn change_page(w: &mut Writer) -> String {
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

fn change_superpage(w: &mut Writer) -> String {
    let page = match w.focus {
        Some(Focus::Big(page)) if w.rng.below(4) != 0 => page,
        _ => w.rng.below(MIDDLE_PAGES),
    };
    let value = pages::big_leaf(&mut w.rng);
    for space in 0..2 {
        store_entry(w, pages::big_entry(w.area, space, page), value);
    }
    fence(w, BIG + (page << 21), 2 << 20, value)
}

/// A table's entry becomes wrong for one access, and right again.
fn change_table(w: &mut Writer) -> String {
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

/// To another address space, or to none for a moment.
fn switch_space(w: &mut Writer) -> String {
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

/// Where a piece of code may be, mapped or not, allowed or not.
pub fn code_address(w: &mut Writer) -> u64 {
    let slot = SLOTS.start + w.rng.below(SLOTS.end - SLOTS.start);
    let at = slot * SLOT;
    match w.rng.below(12) {
        0 => HIGH + 4096 * w.rng.below(HIGH_PAGES) + at,
        1 => w.area + at::DATA + 4096 * w.rng.below(DATA_PAGES) + at,
        2 => address(w).0 & !1 | 1 << 40,
        3 => w.rng.pick(&[0, NOTHING, BIG, GIGA, LAST + 0xffe, (WINDOW + at) | 1 << 63]),
        _ => WINDOW + 4096 * w.rng.below(WINDOW_PAGES) + at,
    }
}

/// Where code is entered, and an address for what it accesses. Mostly both are mapped for the mode just
/// before, since random entries forbid most.
fn entered(w: &mut Writer, user: bool) -> (u64, u64) {
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

/// Fenced: see "fetches from user pages" in the table of the test.
fn jump(w: &mut Writer) -> String {
    let (target, data) = entered(w, false);
    w.li(6, target);
    w.li(5, data);
    w.code.words(&[SFENCE_VMA, jalr(1, 6, 0)]);
    format!("jump to {target:#x} with x5 {data:#x}")
}

/// `sret`, mostly to user mode.
fn lower(w: &mut Writer) -> String {
    let user = w.rng.below(6) != 0;
    let (target, data) = entered(w, user);
    w.li(5, SPP);
    w.code.word(if user { csrrc(0, SSTATUS, 5) } else { csrrs(0, SSTATUS, 5) });
    w.set(SEPC, target);
    w.li(5, data);
    if !user {
        w.code.word(SFENCE_VMA);
    }
    w.code.word(SRET);
    format!("sret to {target:#x}, user {user}, with x5 {data:#x}")
}

fn illegal(w: &mut Writer) -> String {
    let word = w.rng.pick(&ILLEGAL);
    w.code.word(word);
    format!("illegal {word:#x}")
}

/// The timer, which is due or never, and the software interrupt; `wfi` with something to wake it.
fn interrupt(w: &mut Writer) -> String {
    match w.rng.below(4) {
        0 => {
            let time = w.rng.pick(&[0, 1, u64::MAX, u64::MAX]);
            timer(w, time);
            format!("timer {time}")
        }
        1 => {
            w.code.words(&[i(0x73, 7, 0, 2, SSTATUS as i32), i(0x73, 6, 0, 2, SIP as i32)]);
            w.code.words(&[i(0x73, 6, 0, 2, SIE as i32), WFI]);
            "wfi".into()
        }
        2 => {
            let bits = w.rng.next() & 0x222;
            w.set(SIE, bits);
            w.code.word(i(0x73, 6, 0, 2, SSTATUS as i32));
            format!("interrupts on, sie {bits:#x}")
        }
        _ => {
            let kind = w.rng.pick(&[6, 7]);
            w.code.word(i(0x73, kind, 0, 2, SIP as i32));
            format!("software interrupt {kind}")
        }
    }
}

/// Sets the timer through the firmware.
pub fn timer(w: &mut Writer, time: u64) {
    w.li(17, 0x5449_4d45);
    w.li(10, time);
    w.code.words(&[addi(16, 0, 0), ECALL]);
}

/// Another vector, read back and gone again; or vectored mode for the next interrupt or exception. The
/// handler goes back to direct mode: see "exceptions that the firmware hands on" in the table of the test.
fn vector(w: &mut Writer) -> String {
    if w.rng.below(2) == 0 {
        w.set(STVEC, HANDLER | 1);
        // One that is pending, or none; then an exception.
        let bits = w.rng.next() & 0x222;
        w.set(SIP, bits);
        w.set(SIE, 0x222);
        w.code.words(&[i(0x73, 6, 0, 2, SSTATUS as i32), EBREAK]);
        return format!("vectored, sip {bits:#x}");
    }
    let value = w.rng.next() & !2;
    w.li(5, value);
    w.code.words(&[csrrw(6, STVEC, 5), csrrw(7, STVEC, 6)]);
    format!("vector {value:#x}")
}

fn plain(w: &mut Writer) -> String {
    for _ in 0..w.rng.below(5) {
        let word = snippets::integer(&mut w.rng);
        w.code.word(word);
    }
    w.code.word(EBREAK);
    "a breakpoint".into()
}

/// Maps a page of a space to a data page.
pub fn map(w: &mut Writer, space: usize, page: u64, data: u64, bits: u64) {
    let value = entry(w.area + at::DATA + 4096 * data, bits);
    store_entry(w, pages::window_entry(w.area, space, page), value);
}
