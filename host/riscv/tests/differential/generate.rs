//! Random programs.
//!
//! `x2` is the window of memory and `x3` is not written by random code; all other registers are. Values
//! are drawn so that edges meet: zeros, extremes, NaNs of both kinds, numbers close in magnitude.

use super::program::{DUMP_WORDS, Program, STATE_WORDS, WINDOW_WORDS};
use super::support::asm::*;
use super::support::rng::Rng;

/// Where programs are linked: memory of the machine that the handler does not need.
const AT: u64 = 0x8010_0000;
const BLOCKS: usize = 400;
/// Picks per block; some are several instructions.
const PICKS: usize = 90;

pub fn program(seed: u64) -> Program {
    let mut rng = Rng(seed);
    let mut data = Code::at(AT);
    let states = AT;
    for _ in 0..BLOCKS {
        state(&mut rng).iter().for_each(|w| data.bytes.extend_from_slice(&w.to_le_bytes()));
    }
    let window = data.here();
    for _ in 0..WINDOW_WORDS {
        data.bytes.extend_from_slice(&integer(&mut rng).to_le_bytes());
    }
    let dump = data.here();
    let dump_size = BLOCKS * DUMP_WORDS * 8;
    data.bytes.resize(data.bytes.len() + dump_size, 0);
    let entry = data.here();
    let mut code = data;
    let (mut instructions, mut blocks) = (0, Vec::new());
    for block in 0..BLOCKS {
        // Some blocks start at an odd halfword, so that instructions cross pages.
        if rng.below(2) == 0 {
            code.half(0x0001);
        }
        load_state(&mut code, states + (block * STATE_WORDS * 8) as u64, window);
        let start = code.here();
        for _ in 0..PICKS {
            instructions += pick(&mut rng, &mut code);
        }
        let random = code.bytes[(start - AT) as usize..].to_vec();
        blocks.push((start, random));
        dump_state(&mut code, dump + (block * DUMP_WORDS * 8) as u64);
    }
    // write(1, dump, dump_size); exit(0)
    code.words(&[addi(10, 0, 1)]).la(11, dump).li(12, dump_size as u64).word(addi(17, 0, 64));
    let end = code.here();
    code.words(&[ECALL, addi(10, 0, 0), addi(17, 0, 93), ECALL]);
    Program { base: AT, entry, bytes: code.bytes, end, dump, dump_size, instructions, blocks }
}

fn load_state(code: &mut Code, state: u64, window: u64) {
    code.la(3, state + 31 * 8);
    for f in 0..32 {
        code.word(fld(f, 3, 8 * f as i32));
    }
    code.words(&[ld(1, 3, 256), csrrw(0, 3, 1)]);
    code.la(2, window).la(3, state);
    for x in (1..32).filter(|&x| x != 2 && x != 3) {
        code.word(ld(x, 3, 8 * (x as i32 - 1)));
    }
}

fn dump_state(code: &mut Code, dump: u64) {
    code.la(3, dump);
    for x in 1..32 {
        code.word(sd(x, 3, 8 * (x as i32 - 1)));
    }
    for f in 0..32 {
        code.word(fsd(f, 3, 8 * (31 + f as i32)));
    }
    code.words(&[csrrs(1, 3, 0), sd(1, 3, 8 * 63)]);
    for word in 0..WINDOW_WORDS as i32 {
        code.words(&[ld(4, 2, 8 * word), sd(4, 3, 8 * (64 + word))]);
    }
}

fn state(rng: &mut Rng) -> Vec<u64> {
    let mut words: Vec<u64> = (0..31).map(|_| integer(rng)).collect();
    words.extend((0..32).map(|_| float(rng)));
    let flags = if rng.below(2) == 0 { 0 } else { rng.below(32) };
    words.push(rng.below(5) << 5 | flags);
    words
}

fn integer(rng: &mut Rng) -> u64 {
    let edges =
        [0, 1, 2, 63, 64, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 1 << 32];
    match rng.below(5) {
        0 => rng.pick(&edges),
        1 => rng.pick(&edges).wrapping_add(rng.below(5)).wrapping_sub(2),
        2 => rng.next() >> rng.below(64),
        3 => (rng.next() as i64 >> rng.below(64)) as u64,
        _ => rng.next(),
    }
}

fn float(rng: &mut Rng) -> u64 {
    if rng.below(2) == 0 {
        // Sometimes not boxed as it must be.
        let high = if rng.below(16) == 0 { rng.next() << 32 } else { 0xffff_ffff << 32 };
        high | number(rng, 23, 8)
    } else {
        number(rng, 52, 11)
    }
}

/// A number of a format by the lengths of its fraction and exponent.
fn number(rng: &mut Rng, fraction: u32, exponent: u32) -> u64 {
    let top = (1u64 << exponent) - 1;
    let bias = top / 2;
    let sign = rng.below(2) << (fraction + exponent);
    let fractions = match rng.below(5) {
        0 => 0,
        1 => rng.below(4),
        2 => ((1 << fraction) - 1) ^ rng.below(4),
        3 => 1 << rng.below(fraction.into()),
        _ => rng.next() & ((1 << fraction) - 1),
    };
    let exponents = match rng.below(15) {
        0 => 0,
        1 => top,
        2 => 1,
        3 => top - 1,
        4 => rng.below(3) + u64::from(fraction),
        5 => bias + u64::from(fraction) + rng.below(14),
        6 => bias + 30 + rng.below(5),
        7 => bias + 62 + rng.below(4),
        8 => rng.next() & top,
        // Products at the lower end of the range, and doubles at both ends of the singles.
        9 | 10 => bias / 2 + rng.below(3),
        11 if exponent == 11 => rng.pick(&[895, 896, 897, 1149, 1150, 1151]) + rng.below(2),
        _ => (bias + rng.below(8)).saturating_sub(4),
    };
    sign | exponents << fraction | fractions
}

/// A destination: any register but the two that are in use.
fn rd(rng: &mut Rng) -> u32 {
    match rng.below(32) as u32 {
        2 | 3 => 4,
        register => register,
    }
}

fn any(rng: &mut Rng) -> u32 {
    rng.below(32) as u32
}

fn imm12(rng: &mut Rng) -> i32 {
    (rng.next() as i32) << 20 >> 20
}

/// A static rounding mode, or the dynamic one.
fn rounding(rng: &mut Rng) -> u32 {
    rng.pick(&[0, 1, 2, 3, 4, 7, 7, 7])
}

/// An offset at which `size` bytes are in the window; sometimes not aligned.
fn offset(rng: &mut Rng, size: u64) -> i32 {
    let end = WINDOW_WORDS as u64 * 8 - size;
    let at = rng.below(end + 1);
    (if rng.below(4) == 0 { at } else { at / size * size }) as i32
}

/// Appends one to three random instructions; returns how many.
fn pick(rng: &mut Rng, code: &mut Code) -> u64 {
    match rng.below(20) {
        0..=4 => one(code, integer_op(rng)),
        5 => one(code, multiply(rng)),
        6..=7 => one(code, memory(rng)),
        8 => atomic(rng, code),
        9..=13 => one(code, float_op(rng)),
        14 => one(code, fused(rng)),
        15 => one(code, convert(rng)),
        16 => one(code, csr(rng)),
        17 => control(rng, code),
        _ => compressed(rng, code),
    }
}

fn one(code: &mut Code, word: u32) -> u64 {
    code.word(word);
    1
}

fn integer_op(rng: &mut Rng) -> u32 {
    let (d, a, c) = (rd(rng), any(rng), any(rng));
    let shift = rng.below(64) as i32;
    match rng.below(8) {
        0 => i(0x13, rng.pick(&[0, 2, 3, 4, 6, 7]), d, a, imm12(rng)),
        1 => i(0x13, rng.pick(&[1, 5]), d, a, shift),
        2 => i(0x13, 5, d, a, 0x400 | shift),
        3 => rng.pick(&[
            i(0x1b, 0, d, a, shift - 32),
            i(0x1b, 1, d, a, shift & 31),
            i(0x1b, 5, d, a, shift & 31),
            i(0x1b, 5, d, a, 0x400 | shift & 31),
        ]),
        4 => u(rng.pick(&[0x37, 0x17]), d, rng.next() as u32),
        5 => {
            let (f3, f7) = rng.pick(&[(0, 0), (0, 32), (1, 0), (5, 0), (5, 32)]);
            r(0x3b, f3, f7, d, a, c)
        }
        _ => {
            let (f3, f7) = rng.pick(&[
                (0, 0),
                (0, 32),
                (1, 0),
                (2, 0),
                (3, 0),
                (4, 0),
                (5, 0),
                (5, 32),
                (6, 0),
                (7, 0),
            ]);
            r(0x33, f3, f7, d, a, c)
        }
    }
}

fn multiply(rng: &mut Rng) -> u32 {
    let (opcode, f3) = if rng.below(3) == 0 {
        (0x3b, rng.pick(&[0, 4, 5, 6, 7]))
    } else {
        (0x33, rng.below(8) as u32)
    };
    r(opcode, f3, 1, rd(rng), any(rng), any(rng))
}

fn memory(rng: &mut Rng) -> u32 {
    let width = rng.below(4) as u32;
    let at = offset(rng, 1 << width);
    match rng.below(6) {
        0 | 1 => s(0x23, width, 2, any(rng), at),
        2 if width >= 2 => i(0x07, width, any(rng), 2, at),
        3 if width >= 2 => s(0x27, width, 2, any(rng), at),
        4 if width < 3 => i(0x03, 4 | width, rd(rng), 2, at),
        _ => i(0x03, width, rd(rng), 2, at),
    }
}

fn atomic(rng: &mut Rng, code: &mut Code) -> u64 {
    let width = rng.pick(&[2, 3]);
    let size = 1u64 << width;
    let at = (offset(rng, size) as u64 / size * size) as i32;
    let order = rng.below(4) as u32;
    // The address is in x4; what is read goes elsewhere.
    let target = rng.pick(&[0, 5, 6, 7, 31]);
    let source = any(rng);
    let a = |f5: u32, rd, rs2| r(0x2f, width, f5 << 2 | order, rd, 4, rs2);
    code.word(addi(4, 2, at));
    match rng.below(4) {
        0 => {
            let failed = rng.pick(&[0, 8, 9]);
            code.words(&[a(2, target, 0), a(3, failed, source)]);
            if rng.below(4) == 0 {
                code.word(a(3, 10, source));
                return 4;
            }
            3
        }
        _ => {
            let f5 = rng.pick(&[0, 1, 4, 8, 12, 16, 20, 24, 28]);
            code.word(a(f5, target, source));
            2
        }
    }
}

fn float_op(rng: &mut Rng) -> u32 {
    let double = rng.below(2) as u32;
    let (d, a, c) = (any(rng), any(rng), any(rng));
    match rng.below(9) {
        0..=3 => {
            let f5 = rng.pick(&[0, 1, 2, 3]);
            r(0x53, rounding(rng), f5 << 2 | double, d, a, c)
        }
        4 => r(0x53, rounding(rng), 0x2c | double, d, a, 0),
        5 => r(0x53, rng.below(3) as u32, 0x10 | double, d, a, c),
        6 => r(0x53, rng.below(2) as u32, 0x14 | double, d, a, c),
        7 => r(0x53, rng.below(3) as u32, 0x50 | double, rd(rng), a, c),
        _ => r(0x53, 1, 0x70 | double, rd(rng), a, 0),
    }
}

fn fused(rng: &mut Rng) -> u32 {
    let opcode = rng.pick(&[0x43, 0x47, 0x4b, 0x4f]);
    let f7 = any(rng) << 2 | rng.below(2) as u32;
    r(opcode, rounding(rng), f7, any(rng), any(rng), any(rng))
}

fn convert(rng: &mut Rng) -> u32 {
    let double = rng.below(2) as u32;
    let kind = rng.below(4) as u32;
    match rng.below(4) {
        0 => r(0x53, rounding(rng), 0x60 | double, rd(rng), any(rng), kind),
        1 => r(0x53, rounding(rng), 0x68 | double, any(rng), any(rng), kind),
        2 => r(0x53, rounding(rng), 0x20 | double, any(rng), any(rng), 1 - double),
        _ if rng.below(2) == 0 => r(0x53, 0, 0x70 | double, rd(rng), any(rng), 0),
        _ => r(0x53, 0, 0x78 | double, any(rng), any(rng), 0),
    }
}

/// Flags and rounding mode; a mode that is written is one that exists.
fn csr(rng: &mut Rng) -> u32 {
    match rng.below(4) {
        0 => i(0x73, 5, rd(rng), rng.below(5) as u32, 2),
        1 => i(0x73, rng.pick(&[5, 6, 7]), rd(rng), rng.below(32) as u32, 1),
        2 => i(0x73, rng.pick(&[1, 2, 3]), rd(rng), any(rng), 1),
        _ => csrrs(rd(rng), rng.pick(&[1, 2, 3]), 0),
    }
}

/// Jumps and branches over one instruction.
fn control(rng: &mut Rng, code: &mut Code) -> u64 {
    match rng.below(5) {
        0 => code.word(jal(rd(rng), 8)),
        1 => {
            let link = rd(rng);
            code.words(&[u(0x17, 5, 0), jalr(link, 5, 12)])
        }
        2 => code.half(0xa019),
        _ => {
            let f3 = rng.pick(&[0, 1, 4, 5, 6, 7]);
            code.word(b(f3, any(rng), any(rng), 8))
        }
    };
    code.word(integer_op(rng));
    3
}

fn compressed(rng: &mut Rng, code: &mut Code) -> u64 {
    let imm = rng.below(32) as u16;
    let high = (rng.below(2) as u16) << 12;
    let d = rd(rng) as u16;
    let (l, m) = (rng.below(8) as u16, rng.below(8) as u16);
    let at = |n: u16| n << 7;
    match rng.below(14) {
        0 => code.half(0x0001 | at(d) | high | imm << 2),
        1 if d != 0 => code.half(0x2001 | at(d) | high | imm << 2),
        2 => code.half(0x4001 | at(d) | high | imm << 2),
        3 if imm != 0 => code.half(0x6001 | at(d) | high | imm << 2),
        4 => code.half(0x8001 | at(l) | high | imm << 2 | (rng.below(3) as u16) << 10),
        5 => code.half(0x8c01 | at(l) | m << 2 | (rng.below(4) as u16) << 5),
        6 => code.half(0x9c01 | at(l) | m << 2 | (rng.below(2) as u16) << 5),
        7 => code.half(0x0002 | at(d) | high | imm << 2),
        8 => code.half(0x8002 | high | at(d.max(4)) | ((rng.below(31) as u16 + 1) << 2)),
        // Loads and stores by sp: 8-byte offsets up to 248.
        9 if d != 0 => code.half(0x6002 | at(d) | high | imm << 2 & 0x6c),
        10 => code.half(rng.pick(&[0xe002, 0xa002]) | (imm & 7) << 10 | (any(rng) as u16) << 2),
        // By another base register, which is made to be the window first.
        11 => {
            code.word(addi(8 + u32::from(l), 2, 0));
            let kind = rng.pick(&[0x4000, 0x6000, 0x2000, 0xc000, 0xe000, 0xa000]);
            code.half(kind | at(l) | (imm & 7) << 10 | m << 2);
            return 2;
        }
        // c.addi4spn
        12 if imm != 0 => code.half(imm << 5 & 0x1fe0 | m << 2 | 0x20),
        // c.beqz, c.bnez over a compressed instruction
        13 => {
            let kind = rng.pick(&[0xc001, 0xe001]);
            code.half(kind | at(l) | 2 << 3);
            code.half(0x0001 | at(d) | imm << 2);
            return 2;
        }
        _ => code.half(0x0001),
    };
    1
}
