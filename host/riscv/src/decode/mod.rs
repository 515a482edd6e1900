//! From the bits of an instruction to an [`Inst`].
//!
//! Called by the interpreter when it meets a halfword that it has not decoded. Anything that is not
//! an instruction of RV64GC with supervisor mode becomes [`Op::Illegal`]; a reserved encoding is never
//! silently taken for its neighbour.
//!
//! Encodings: unprivileged specification, chapter "RV32/64G Instruction Set Listings"; privileged
//! specification, chapter "RISC-V Privileged Instruction Set Listings".

mod compressed;
mod float;

use crate::inst::{Inst, Op};

/// Decodes the instruction whose low halfword is `bits & 0xffff`. For a compressed instruction the
/// upper half is ignored.
pub fn decode(bits: u32) -> Inst {
    if bits & 3 == 3 {
        decode32(bits).unwrap_or_else(illegal)
    } else {
        let half = bits & 0xffff;
        match compressed::expand(half).and_then(decode32) {
            Some(inst) => inst.compressed(),
            None => illegal().compressed(),
        }
    }
}

/// The bits that `stval` wants are fetched when it traps.
fn illegal() -> Inst {
    Inst::new(Op::Illegal, 0, 0, 0, 0)
}

/// Destination register field.
fn rd(b: u32) -> u32 {
    b >> 7 & 31
}
fn rs1(b: u32) -> u32 {
    b >> 15 & 31
}
fn rs2(b: u32) -> u32 {
    b >> 20 & 31
}
fn funct3(b: u32) -> u32 {
    b >> 12 & 7
}
fn funct7(b: u32) -> u32 {
    b >> 25
}
fn imm_i(b: u32) -> i32 {
    b as i32 >> 20
}
fn imm_s(b: u32) -> i32 {
    (b as i32 >> 25) << 5 | (b >> 7 & 31) as i32
}
fn imm_b(b: u32) -> i32 {
    (b as i32 >> 31) << 12
        | ((b >> 7 & 1) << 11 | (b >> 25 & 0x3f) << 5 | (b >> 8 & 15) << 1) as i32
}
fn imm_j(b: u32) -> i32 {
    (b as i32 >> 31) << 20 | (b & 0xf_f000 | (b >> 20 & 1) << 11 | (b >> 21 & 0x3ff) << 1) as i32
}

fn decode32(b: u32) -> Option<Inst> {
    match b & 0x7f {
        0x03 => load(b),
        0x07 => float::load(b),
        0x0f => fence(b),
        0x13 => op_imm(b),
        0x17 => Some(pure(Op::Auipc, b, 0, 0, (b & 0xffff_f000) as i32)),
        0x1b => op_imm_32(b),
        0x23 => store(b),
        0x27 => float::store(b),
        0x2f => atomic(b),
        0x33 => op(b),
        0x37 => Some(pure(Op::Lui, b, 0, 0, (b & 0xffff_f000) as i32)),
        0x3b => op_32(b),
        0x43 | 0x47 | 0x4b | 0x4f => float::fused(b),
        0x53 => float::operation(b),
        0x63 => branch(b),
        0x67 if funct3(b) == 0 => Some(Inst::with_x(Op::Jalr, rd(b), rs1(b), 0, imm_i(b))),
        0x6f => Some(Inst::with_x(Op::Jal, rd(b), 0, 0, imm_j(b))),
        0x73 => system(b),
        _ => None,
    }
}

/// An operation without effect besides its result: with `x0` as destination it is no operation.
fn pure(op: Op, b: u32, rs1: u32, rs2: u32, imm: i32) -> Inst {
    let op = if rd(b) == 0 { Op::Nop } else { op };
    Inst::with_x(op, rd(b), rs1, rs2, imm)
}

fn load(b: u32) -> Option<Inst> {
    let ops = [Op::Lb, Op::Lh, Op::Lw, Op::Ld, Op::Lbu, Op::Lhu, Op::Lwu];
    let op = *ops.get(funct3(b) as usize)?;
    Some(Inst::with_x(op, rd(b), rs1(b), 0, imm_i(b)))
}

fn store(b: u32) -> Option<Inst> {
    let op = *[Op::Sb, Op::Sh, Op::Sw, Op::Sd].get(funct3(b) as usize)?;
    Some(Inst::new(op, 0, rs1(b), rs2(b), imm_s(b)))
}

/// `fence` in all its forms, `fence.tso` among them, orders nothing on a machine of one hart whose
/// devices answer at once; reserved forms are to be executed as fences, too.
fn fence(b: u32) -> Option<Inst> {
    match funct3(b) {
        0 => Some(Inst::new(Op::Nop, 0, 0, 0, 0)),
        1 => Some(Inst::new(Op::FenceI, 0, 0, 0, 0)),
        _ => None,
    }
}

fn op_imm(b: u32) -> Option<Inst> {
    let shift = imm_i(b) & 63;
    let (op, imm) = match (funct3(b), b >> 26) {
        (0, _) => (Op::Addi, imm_i(b)),
        (1, 0) => (Op::Slli, shift),
        (2, _) => (Op::Slti, imm_i(b)),
        (3, _) => (Op::Sltiu, imm_i(b)),
        (4, _) => (Op::Xori, imm_i(b)),
        (5, 0) => (Op::Srli, shift),
        (5, 0x10) => (Op::Srai, shift),
        (6, _) => (Op::Ori, imm_i(b)),
        (7, _) => (Op::Andi, imm_i(b)),
        _ => return None,
    };
    Some(pure(op, b, rs1(b), 0, imm))
}

fn op_imm_32(b: u32) -> Option<Inst> {
    let shift = imm_i(b) & 31;
    let (op, imm) = match (funct3(b), funct7(b)) {
        (0, _) => (Op::Addiw, imm_i(b)),
        (1, 0) => (Op::Slliw, shift),
        (5, 0) => (Op::Srliw, shift),
        (5, 0x20) => (Op::Sraiw, shift),
        _ => return None,
    };
    Some(pure(op, b, rs1(b), 0, imm))
}

fn op(b: u32) -> Option<Inst> {
    let ops = match funct7(b) {
        0 => [Op::Add, Op::Sll, Op::Slt, Op::Sltu, Op::Xor, Op::Srl, Op::Or, Op::And],
        1 => [Op::Mul, Op::Mulh, Op::Mulhsu, Op::Mulhu, Op::Div, Op::Divu, Op::Rem, Op::Remu],
        0x20 if funct3(b) == 0 => [Op::Sub; 8],
        0x20 if funct3(b) == 5 => [Op::Sra; 8],
        _ => return None,
    };
    Some(pure(ops[funct3(b) as usize], b, rs1(b), rs2(b), 0))
}

fn op_32(b: u32) -> Option<Inst> {
    let op = match (funct7(b), funct3(b)) {
        (0, 0) => Op::Addw,
        (0, 1) => Op::Sllw,
        (0, 5) => Op::Srlw,
        (0x20, 0) => Op::Subw,
        (0x20, 5) => Op::Sraw,
        (1, 0) => Op::Mulw,
        (1, 4) => Op::Divw,
        (1, 5) => Op::Divuw,
        (1, 6) => Op::Remw,
        (1, 7) => Op::Remuw,
        _ => return None,
    };
    Some(pure(op, b, rs1(b), rs2(b), 0))
}

fn branch(b: u32) -> Option<Inst> {
    let op = match funct3(b) {
        0 => Op::Beq,
        1 => Op::Bne,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => return None,
    };
    Some(Inst::new(op, 0, rs1(b), rs2(b), imm_b(b)))
}

/// The acquire and release bits ask for an order that a single hart keeps anyway.
fn atomic(b: u32) -> Option<Inst> {
    let (w, d) = match b >> 27 {
        2 if rs2(b) == 0 => (Op::LrW, Op::LrD),
        3 => (Op::ScW, Op::ScD),
        1 => (Op::AmoswapW, Op::AmoswapD),
        0 => (Op::AmoaddW, Op::AmoaddD),
        4 => (Op::AmoxorW, Op::AmoxorD),
        0xc => (Op::AmoandW, Op::AmoandD),
        8 => (Op::AmoorW, Op::AmoorD),
        0x10 => (Op::AmominW, Op::AmominD),
        0x14 => (Op::AmomaxW, Op::AmomaxD),
        0x18 => (Op::AmominuW, Op::AmominuD),
        0x1c => (Op::AmomaxuW, Op::AmomaxuD),
        _ => return None,
    };
    let op = match funct3(b) {
        2 => w,
        3 => d,
        _ => return None,
    };
    Some(Inst::with_x(op, rd(b), rs1(b), rs2(b), 0))
}

fn system(b: u32) -> Option<Inst> {
    let csr = |op| Some(Inst::with_x(op, rd(b), rs1(b), 0, (b >> 20 << 8 | rs1(b)) as i32));
    match funct3(b) {
        0 => match b {
            0x0000_0073 => Some(Inst::new(Op::Ecall, 0, 0, 0, 0)),
            0x0010_0073 => Some(Inst::new(Op::Ebreak, 0, 0, 0, 0)),
            0x1020_0073 => Some(Inst::new(Op::Sret, 0, 0, 0, 0)),
            0x1050_0073 => Some(Inst::new(Op::Wfi, 0, 0, 0, 0)),
            _ if funct7(b) == 9 && rd(b) == 0 => {
                Some(Inst::new(Op::SfenceVma, 0, rs1(b), rs2(b), 0))
            }
            _ => None,
        },
        1 => csr(Op::Csrrw),
        2 => csr(Op::Csrrs),
        3 => csr(Op::Csrrc),
        5 => csr(Op::Csrrwi),
        6 => csr(Op::Csrrsi),
        7 => csr(Op::Csrrci),
        _ => None,
    }
}
