//! A tiny assembler for tests: encoders of the base formats, and code with labels.
//!
//! Unprivileged specification, chapter "RV32/64G Instruction Set Listings".
#![allow(dead_code, reason = "each test uses what it needs")]

pub fn r(opcode: u32, f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
}

pub fn i(opcode: u32, f3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    (imm as u32) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
}

pub fn s(opcode: u32, f3: u32, rs1: u32, rs2: u32, imm: i32) -> u32 {
    let imm = imm as u32;
    (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (imm & 31) << 7 | opcode
}

pub fn b(f3: u32, rs1: u32, rs2: u32, imm: i32) -> u32 {
    let imm = imm as u32;
    (imm >> 12 & 1) << 31
        | (imm >> 5 & 0x3f) << 25
        | rs2 << 20
        | rs1 << 15
        | f3 << 12
        | (imm >> 1 & 15) << 8
        | (imm >> 11 & 1) << 7
        | 0x63
}

pub fn u(opcode: u32, rd: u32, imm: u32) -> u32 {
    imm & 0xffff_f000 | rd << 7 | opcode
}

pub fn jal(rd: u32, imm: i32) -> u32 {
    let imm = imm as u32;
    (imm >> 20 & 1) << 31
        | (imm >> 1 & 0x3ff) << 21
        | (imm >> 11 & 1) << 20
        | imm & 0xf_f000
        | rd << 7
        | 0x6f
}

pub fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x13, 0, rd, rs1, imm)
}
pub fn add(rd: u32, rs1: u32, rs2: u32) -> u32 {
    r(0x33, 0, 0, rd, rs1, rs2)
}
pub fn ld(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x03, 3, rd, rs1, imm)
}
pub fn lw(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x03, 2, rd, rs1, imm)
}
pub fn sd(rs2: u32, rs1: u32, imm: i32) -> u32 {
    s(0x23, 3, rs1, rs2, imm)
}
pub fn sw(rs2: u32, rs1: u32, imm: i32) -> u32 {
    s(0x23, 2, rs1, rs2, imm)
}
pub fn fld(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x07, 3, rd, rs1, imm)
}
pub fn fsd(rs2: u32, rs1: u32, imm: i32) -> u32 {
    s(0x27, 3, rs1, rs2, imm)
}
pub fn jalr(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x67, 0, rd, rs1, imm)
}
pub fn csrrw(rd: u32, csr: u32, rs1: u32) -> u32 {
    i(0x73, 1, rd, rs1, csr as i32)
}
pub fn csrrs(rd: u32, csr: u32, rs1: u32) -> u32 {
    i(0x73, 2, rd, rs1, csr as i32)
}
pub fn csrrc(rd: u32, csr: u32, rs1: u32) -> u32 {
    i(0x73, 3, rd, rs1, csr as i32)
}
pub const ECALL: u32 = 0x73;
pub const EBREAK: u32 = 0x0010_0073;
pub const SRET: u32 = 0x1020_0073;
pub const WFI: u32 = 0x1050_0073;
pub const FENCE_I: u32 = 0x0000_100f;
pub const FENCE_TSO: u32 = 0x8330_000f;
pub const SFENCE_VMA: u32 = 0x1200_0073;

/// Code being written for an address.
#[derive(Clone, Debug)]
pub struct Code {
    pub base: u64,
    pub bytes: Vec<u8>,
}

impl Code {
    pub fn at(base: u64) -> Self {
        Self { base, bytes: Vec::new() }
    }

    pub fn here(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    pub fn word(&mut self, word: u32) -> &mut Self {
        self.bytes.extend_from_slice(&word.to_le_bytes());
        self
    }

    pub fn half(&mut self, half: u16) -> &mut Self {
        self.bytes.extend_from_slice(&half.to_le_bytes());
        self
    }

    pub fn words(&mut self, words: &[u32]) -> &mut Self {
        for &word in words {
            self.word(word);
        }
        self
    }

    /// Loads an address within two GiB of here.
    pub fn la(&mut self, rd: u32, address: u64) -> &mut Self {
        let offset = address.wrapping_sub(self.here()) as i64;
        let low = (offset << 52 >> 52) as i32;
        let high = (offset - i64::from(low)) as u32;
        self.word(u(0x17, rd, high)).word(addi(rd, rd, low))
    }

    /// Loads any constant.
    pub fn li(&mut self, rd: u32, value: u64) -> &mut Self {
        // auipc rd, 0; jump over the constant; load it.
        let pad = (self.here() + 8) % 8;
        self.word(u(0x17, rd, 0)).word(jal(0, 12 + pad as i32));
        self.bytes.resize(self.bytes.len() + pad as usize, 0);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self.word(ld(rd, rd, 8 + pad as i32))
    }
}
