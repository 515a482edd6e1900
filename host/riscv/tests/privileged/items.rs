//! The things that programs do, and how often.

use super::layout::*;
use super::memory;
use super::places::entered;
use super::program::Writer;
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
    if let Some(next) = w.following.pop() {
        return next(w);
    }
    match w.rng.below(32) {
        0..=6 => memory::access(w),
        7 | 8 => memory::twice(w),
        9..=11 => memory::atomic(w),
        12..=15 => csr(w),
        16..=18 => memory::change_page(w),
        19 if w.rng.below(2) == 0 => memory::change_table(w),
        19 => memory::change_superpage(w),
        20 => memory::switch_space(w),
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
