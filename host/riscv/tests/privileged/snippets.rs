//! Small pieces of code in data pages, which run in whatever mode and mapping reaches them.
//!
//! Each ends by a breakpoint whatever happens, never writes `x3`, `x4` and `x5`, and leaves alone which code
//! runs next: a piece may run in supervisor mode. `x5` is an address when a piece starts.

use super::layout::*;
use super::support::asm::*;
use super::support::rng::Rng;

const C_EBREAK: u16 = 0x9002;

/// A register that random code may write: without `x5`, too, or a piece would access what is nobody's.
pub fn register(rng: &mut Rng) -> u32 {
    match rng.below(32) as u32 {
        3..=5 => 0,
        register => register,
    }
}

/// One instruction of four bytes on integer registers.
pub fn integer(rng: &mut Rng) -> u32 {
    let (d, a, c) = (register(rng), register(rng), register(rng));
    let imm = rng.next() as i32 >> 20;
    match rng.below(4) {
        0 => i(0x13, rng.pick(&[0, 2, 3, 4, 6, 7]), d, a, imm),
        1 => r(rng.pick(&[0x33, 0x3b]), 0, rng.pick(&[0, 0x20, 1]), d, a, c),
        2 => u(0x17, d, rng.next() as u32),
        _ => r(0x33, rng.pick(&[4, 6, 7]), rng.pick(&[0, 1]), d, a, c),
    }
}

/// An instruction of which some depend on the mode, on `sstatus` and on `scounteren`.
fn any(rng: &mut Rng) -> u32 {
    let (d, a) = (register(rng), register(rng));
    match rng.below(14) {
        // What the counters say differs; whether they may be read does not.
        0 => csrrs(0, rng.pick(&[0xc00, 0xc02]), 0),
        1 => i(0x73, rng.pick(&[1, 2, 3]), d, a, 0x140),
        2 => csrrs(d, rng.pick(&[0x100, 0x104, 0x141, 0x142, 0x143, 0x180]), 0),
        // Flags and rounding mode, and doubles: illegal while the unit is off.
        3 => i(0x73, rng.pick(&[5, 6, 7]), d, rng.below(32) as u32, 1),
        4 => r(0x53, rng.below(5) as u32, rng.pick(&[1, 5, 9]), 1, 1, 2),
        5 => r(0x53, 0, 0x79, rng.pick(&[1, 2]), a, 0),
        6 => access(rng),
        7 => access(rng),
        8 => rng.pick(&[SFENCE_VMA, FENCE_I, 0x0ff0_000f, r(0x73, 0, 9, 0, a, 0)]),
        _ => integer(rng),
    }
}

/// A load or a store at `x5`, which is not changed.
pub fn access(rng: &mut Rng) -> u32 {
    let target = register(rng);
    match rng.below(8) {
        0 => fld(1 + rng.below(2) as u32, 5, 0),
        1 => fsd(1 + rng.below(2) as u32, 5, 0),
        2..=4 => i(0x03, rng.below(7) as u32, target, 5, 0),
        _ => s(0x23, rng.below(4) as u32, 5, register(rng), 0),
    }
}

/// A piece, at most as long as a slot. The first instruction has four bytes, so that it can be replaced.
pub fn piece(rng: &mut Rng) -> Vec<u8> {
    let mut code = Code::at(0);
    code.word(integer(rng));
    for _ in 0..rng.below(7) {
        code.word(any(rng));
    }
    match rng.below(4) {
        // From user mode a call of the program's; from supervisor mode one of an extension that no
        // firmware has. A compressed instruction before makes what follows cross words.
        0 => code.half(0x0001).words(&[addi(17, 0, -2), ECALL, EBREAK]),
        1 => code.word(EBREAK),
        2 => code.half(0).half(C_EBREAK),
        _ => code.half(C_EBREAK),
    };
    assert!(code.bytes.len() as u64 <= SLOT, "a piece is longer than its slot");
    code.bytes
}

/// A data page: pieces in the lower half, numbers in the upper.
pub fn page(rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..512).flat_map(|_| rng.next().to_le_bytes()).collect();
    for slot in SLOTS {
        let at = (slot * SLOT) as usize;
        let piece = piece(rng);
        bytes[at..at + piece.len()].copy_from_slice(&piece);
    }
    bytes
}
