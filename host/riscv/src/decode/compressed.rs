//! Compressed instructions, expanded to the 32-bit instruction that each abbreviates.
//!
//! Called by [`super::decode`] only. Expanding, instead of decoding a second time, means that an
//! operation exists once; it costs nothing, because a result is kept.
//!
//! Encodings: unprivileged specification, chapter "C Extension for Compressed Instructions".

/// The 32-bit form of a halfword, or `None` for a reserved one.
pub(super) fn expand(h: u32) -> Option<u32> {
    match (h & 3, h >> 13) {
        (0, 0) => {
            let imm =
                field(h, 7, 4, 6) | field(h, 11, 2, 4) | field(h, 5, 1, 3) | field(h, 6, 1, 2);
            (imm != 0).then(|| i_type(0x13, 0, low(h, 2), 2, imm))
        }
        (0, 1) => Some(i_type(0x07, 3, low(h, 2), low(h, 7), offset_d(h))),
        (0, 2) => Some(i_type(0x03, 2, low(h, 2), low(h, 7), offset_w(h))),
        (0, 3) => Some(i_type(0x03, 3, low(h, 2), low(h, 7), offset_d(h))),
        (0, 5) => Some(s_type(0x27, 3, low(h, 7), low(h, 2), offset_d(h))),
        (0, 6) => Some(s_type(0x23, 2, low(h, 7), low(h, 2), offset_w(h))),
        (0, 7) => Some(s_type(0x23, 3, low(h, 7), low(h, 2), offset_d(h))),
        (1, 0) => Some(i_type(0x13, 0, full(h, 7), full(h, 7), imm6(h))),
        (1, 1) if full(h, 7) != 0 => Some(i_type(0x1b, 0, full(h, 7), full(h, 7), imm6(h))),
        (1, 2) => Some(i_type(0x13, 0, full(h, 7), 0, imm6(h))),
        (1, 3) => lui_or_addi16sp(h),
        (1, 4) => arithmetic(h),
        (1, 5) => Some(jal(h)),
        (1, 6) => Some(branch(h, 0)),
        (1, 7) => Some(branch(h, 1)),
        (2, 0) => Some(i_type(0x13, 1, full(h, 7), full(h, 7), shamt(h))),
        (2, 1) => Some(i_type(0x07, 3, full(h, 7), 2, load_sp_d(h))),
        (2, 2) if full(h, 7) != 0 => Some(i_type(0x03, 2, full(h, 7), 2, load_sp_w(h))),
        (2, 3) if full(h, 7) != 0 => Some(i_type(0x03, 3, full(h, 7), 2, load_sp_d(h))),
        (2, 4) => jump_or_move(h),
        (2, 5) => Some(s_type(0x27, 3, 2, full(h, 2), store_sp_d(h))),
        (2, 6) => Some(s_type(0x23, 2, 2, full(h, 2), store_sp_w(h))),
        (2, 7) => Some(s_type(0x23, 3, 2, full(h, 2), store_sp_d(h))),
        _ => None,
    }
}

/// `width` bits of `h` from `from`, moved to bit `to`.
fn field(h: u32, from: u32, width: u32, to: u32) -> u32 {
    (h >> from & ((1 << width) - 1)) << to
}

fn full(h: u32, at: u32) -> u32 {
    h >> at & 31
}

/// One of the eight registers `x8` to `x15` that three bits can name.
fn low(h: u32, at: u32) -> u32 {
    8 + (h >> at & 7)
}

fn i_type(opcode: u32, funct3: u32, rd: u32, rs1: u32, imm: u32) -> u32 {
    imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

fn s_type(opcode: u32, funct3: u32, rs1: u32, rs2: u32, imm: u32) -> u32 {
    (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | opcode
}

fn r_type(opcode: u32, funct3: u32, funct7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

/// A six-bit immediate, sign-extended into twelve bits.
fn imm6(h: u32) -> u32 {
    let sign = if h >> 12 & 1 == 1 { 0xfe0 } else { 0 };
    sign | field(h, 2, 5, 0)
}

fn shamt(h: u32) -> u32 {
    field(h, 12, 1, 5) | field(h, 2, 5, 0)
}

fn offset_w(h: u32) -> u32 {
    field(h, 10, 3, 3) | field(h, 6, 1, 2) | field(h, 5, 1, 6)
}

fn offset_d(h: u32) -> u32 {
    field(h, 10, 3, 3) | field(h, 5, 2, 6)
}

fn load_sp_w(h: u32) -> u32 {
    field(h, 12, 1, 5) | field(h, 4, 3, 2) | field(h, 2, 2, 6)
}

fn load_sp_d(h: u32) -> u32 {
    field(h, 12, 1, 5) | field(h, 5, 2, 3) | field(h, 2, 3, 6)
}

fn store_sp_w(h: u32) -> u32 {
    field(h, 9, 4, 2) | field(h, 7, 2, 6)
}

fn store_sp_d(h: u32) -> u32 {
    field(h, 10, 3, 3) | field(h, 7, 3, 6)
}

fn lui_or_addi16sp(h: u32) -> Option<u32> {
    let negative = h >> 12 & 1 == 1;
    if full(h, 7) == 2 {
        let sign = if negative { 0xe00 } else { 0 };
        let imm =
            sign | field(h, 3, 2, 7) | field(h, 5, 1, 6) | field(h, 2, 1, 5) | field(h, 6, 1, 4);
        (imm != 0).then(|| i_type(0x13, 0, 2, 2, imm))
    } else {
        let sign = if negative { 0xfffe_0000 } else { 0 };
        let imm = sign | field(h, 2, 5, 12);
        (imm != 0).then(|| imm | full(h, 7) << 7 | 0x37)
    }
}

fn arithmetic(h: u32) -> Option<u32> {
    let rd = low(h, 7);
    match h >> 10 & 3 {
        0 => Some(i_type(0x13, 5, rd, rd, shamt(h))),
        1 => Some(i_type(0x13, 5, rd, rd, 0x400 | shamt(h))),
        2 => Some(i_type(0x13, 7, rd, rd, imm6(h))),
        _ => {
            let (opcode, funct3, funct7) = match (h >> 12 & 1, h >> 5 & 3) {
                (0, 0) => (0x33, 0, 0x20),
                (0, 1) => (0x33, 4, 0),
                (0, 2) => (0x33, 6, 0),
                (0, 3) => (0x33, 7, 0),
                (1, 0) => (0x3b, 0, 0x20),
                (1, 1) => (0x3b, 0, 0),
                _ => return None,
            };
            Some(r_type(opcode, funct3, funct7, rd, rd, low(h, 2)))
        }
    }
}

fn jal(h: u32) -> u32 {
    let offset = field(h, 11, 1, 4)
        | field(h, 9, 2, 8)
        | field(h, 8, 1, 10)
        | field(h, 7, 1, 6)
        | field(h, 6, 1, 7)
        | field(h, 3, 3, 1)
        | field(h, 2, 1, 5);
    // Bit 11 of the offset is the sign: bits 12 to 20 repeat it.
    let sign = if h >> 12 & 1 == 1 { 0x801f_f000 } else { 0 };
    sign | field(offset, 1, 10, 21) | 0x6f
}

fn branch(h: u32, funct3: u32) -> u32 {
    let offset = field(h, 10, 2, 3) | field(h, 5, 2, 6) | field(h, 3, 2, 1) | field(h, 2, 1, 5);
    // Bit 8 of the offset is the sign: bits 9 to 12 repeat it.
    let negative = h >> 12 & 1;
    let offset = offset | if negative == 1 { 0xf00 } else { 0 };
    negative << 31
        | field(offset, 5, 6, 25)
        | low(h, 7) << 15
        | funct3 << 12
        | field(offset, 1, 4, 8)
        | negative << 7
        | 0x63
}

fn jump_or_move(h: u32) -> Option<u32> {
    let (rd, rs2) = (full(h, 7), full(h, 2));
    match (h >> 12 & 1, rd, rs2) {
        (0, 0, 0) => None,
        (0, _, 0) => Some(i_type(0x67, 0, 0, rd, 0)),
        (0, _, _) => Some(r_type(0x33, 0, 0, rd, 0, rs2)),
        (_, 0, 0) => Some(0x0010_0073),
        (_, _, 0) => Some(i_type(0x67, 0, 1, rd, 0)),
        _ => Some(r_type(0x33, 0, 0, rd, rd, rs2)),
    }
}
