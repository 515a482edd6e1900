//! Where everything is, the same for both sides.
//!
//! Each program has an area of its own, so that none depends on what one before it did: page tables, data
//! pages, code, and the log that its trap handler writes. Virtual addresses are chosen so that, without
//! translation, they are memory on neither side.

/// Memory. The last two MiB have QEMU's device tree, the first two its firmware; neither is touched.
pub const MEMORY: u64 = 64 << 20;
/// Where QEMU's firmware starts a kernel.
pub const START: u64 = 0x8020_0000;
/// The trap vector.
pub const HANDLER: u64 = START + 0x1000;
/// The first area.
pub const AREAS: u64 = 0x8030_0000;
/// Bytes of an area, and what it is aligned to.
pub const AREA: u64 = 0x4_0000;
/// Programs of one run of QEMU.
pub const PROGRAMS: u64 = 96;
/// Two MiB that superpages map; data is in the first 64 KiB.
pub const SUPER: u64 = 0x8260_0000;
pub const SUPER_DATA: u64 = 0x1_0000;
/// A physical address that is nothing.
pub const NOTHING: u64 = 0x1900_0000;

const _: () = assert!(AREAS + PROGRAMS * AREA <= SUPER && AREAS.is_multiple_of(AREA));

/// Offsets in an area.
pub mod at {
    /// Two address spaces: root, middle and leaf table of each.
    pub const ROOTS: [u64; 2] = [0, 0x1000];
    pub const MIDDLES: [u64; 2] = [0x2000, 0x3000];
    pub const LEAVES: [u64; 2] = [0x4000, 0x5000];
    /// Tables of the upper half, which both spaces share.
    pub const HIGH_MIDDLE: u64 = 0x6000;
    pub const HIGH_LEAF: u64 = 0x7000;
    pub const DATA: u64 = 0x8000;
    pub const CODE: u64 = 0x1_0000;
    pub const LOG: u64 = 0x2_0000;
}

/// Data pages of a program.
pub const DATA_PAGES: u64 = 8;
/// In a data page code is here, in slots; data is in the upper half.
pub const SLOTS: std::ops::Range<u64> = 1..31;
pub const SLOT: u64 = 64;
pub const DATA_HALF: u64 = 0x800;

/// Virtual addresses: pages of four KiB, and how many are mapped; behind the last there is nothing.
pub const WINDOW: u64 = 0x1800_0000;
pub const WINDOW_PAGES: u64 = 16;
/// What addresses of the window have where it is mapped again, in the upper half.
pub const UPPER: u64 = 0xffff_ffc0_0000_0000;
/// The page of the window that is mapped to nothing; what crosses its ends is left out.
pub const NOTHING_PAGE: u64 = 7;
/// Superpages of two MiB, one after another.
pub const MIDDLE_PAGES: u64 = 4;
pub const BIG: u64 = WINDOW + (2 << 20);
/// A superpage of a GiB that begins where memory does.
pub const GIGA: u64 = 0x1_0000_0000;
/// Pages at the upper end of the address space, and the very last page.
pub const HIGH: u64 = 0xffff_ffff_ffe0_0000;
pub const HIGH_PAGES: u64 = 4;
pub const LAST: u64 = 0xffff_ffff_ffff_f000;

/// A trap's entry in the log, in words: registers (that of `x4`, which points at the entry, has the
/// address of the vector that was taken), CSRs, then the floating-point unit.
pub const CSRS: [(&str, u32); 11] = [
    ("sstatus", 0x100),
    ("sepc", 0x141),
    ("scause", 0x142),
    ("stval", 0x143),
    ("sie", 0x104),
    ("sip", 0x144),
    ("satp", 0x180),
    ("sscratch", 0x140),
    ("stvec", 0x105),
    ("scounteren", 0x106),
    ("senvcfg", 0x10a),
];
pub const FLOATS: [&str; 3] = ["fcsr", "f1", "f2"];
pub const ENTRY_WORDS: usize = 31 + CSRS.len() + FLOATS.len();
pub const ENTRY: u64 = 8 * ENTRY_WORDS as u64;

/// The area of a program.
pub fn area(program: u64) -> u64 {
    AREAS + program * AREA
}

/// Where the words of an entry are by name.
pub fn word_name(word: usize) -> String {
    match word {
        3 => "vector".into(),
        0..31 => format!("x{}", word + 1),
        _ => CSRS.iter().map(|&(name, _)| name).chain(FLOATS).nth(word - 31).unwrap_or("?").into(),
    }
}
