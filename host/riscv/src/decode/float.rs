//! The F and D part of the decoder.
//!
//! Called by [`super::decode32`] only. A static rounding mode of 5 or 6 is reserved and illegal here,
//! once; the dynamic one depends on `frm` and is looked at when the instruction runs. Operations that
//! round nothing carry no rounding mode, so that the interpreter does not look at one.

use super::{funct3, funct7, imm_i, imm_s, rd, rs1, rs2};
use crate::inst::{Inst, Op};

pub(super) fn load(b: u32) -> Option<Inst> {
    let op = match funct3(b) {
        2 => Op::Flw,
        3 => Op::Fld,
        _ => return None,
    };
    Some(Inst::new(op, rd(b), rs1(b), 0, imm_i(b)))
}

pub(super) fn store(b: u32) -> Option<Inst> {
    let op = match funct3(b) {
        2 => Op::Fsw,
        3 => Op::Fsd,
        _ => return None,
    };
    Some(Inst::new(op, 0, rs1(b), rs2(b), imm_s(b)))
}

/// The rounding mode field: 0 to 4 are modes, 7 is "as `frm` says".
fn rounding(b: u32) -> Option<i32> {
    match funct3(b) {
        5 | 6 => None,
        mode => Some(mode as i32),
    }
}

pub(super) fn fused(b: u32) -> Option<Inst> {
    let (s, d) = match b & 0x7f {
        0x43 => (Op::FmaddS, Op::FmaddD),
        0x47 => (Op::FmsubS, Op::FmsubD),
        0x4b => (Op::FnmsubS, Op::FnmsubD),
        _ => (Op::FnmaddS, Op::FnmaddD),
    };
    let op = match b >> 25 & 3 {
        0 => s,
        1 => d,
        _ => return None,
    };
    Some(Inst::new(op, rd(b), rs1(b), rs2(b), (b >> 27 << 8) as i32 | rounding(b)?))
}

pub(super) fn operation(b: u32) -> Option<Inst> {
    let rounded = |op| Some(Inst::new(op, rd(b), rs1(b), rs2(b), rounding(b)?));
    let exact = |op| Some(Inst::new(op, rd(b), rs1(b), rs2(b), 0));
    let to_x = |op| Some(Inst::with_x(op, rd(b), rs1(b), rs2(b), 0));
    match funct7(b) {
        0x00 => rounded(Op::FaddS),
        0x01 => rounded(Op::FaddD),
        0x04 => rounded(Op::FsubS),
        0x05 => rounded(Op::FsubD),
        0x08 => rounded(Op::FmulS),
        0x09 => rounded(Op::FmulD),
        0x0c => rounded(Op::FdivS),
        0x0d => rounded(Op::FdivD),
        0x2c if rs2(b) == 0 => rounded(Op::FsqrtS),
        0x2d if rs2(b) == 0 => rounded(Op::FsqrtD),
        0x10 => exact(*[Op::FsgnjS, Op::FsgnjnS, Op::FsgnjxS].get(funct3(b) as usize)?),
        0x11 => exact(*[Op::FsgnjD, Op::FsgnjnD, Op::FsgnjxD].get(funct3(b) as usize)?),
        0x14 => exact(*[Op::FminS, Op::FmaxS].get(funct3(b) as usize)?),
        0x15 => exact(*[Op::FminD, Op::FmaxD].get(funct3(b) as usize)?),
        0x20 if rs2(b) == 1 => rounded(Op::FcvtSD),
        0x21 if rs2(b) == 0 => rounded(Op::FcvtDS),
        0x50 => to_x(*[Op::FleS, Op::FltS, Op::FeqS].get(funct3(b) as usize)?),
        0x51 => to_x(*[Op::FleD, Op::FltD, Op::FeqD].get(funct3(b) as usize)?),
        0x60 => to_integer(b, [Op::FcvtWS, Op::FcvtWuS, Op::FcvtLS, Op::FcvtLuS]),
        0x61 => to_integer(b, [Op::FcvtWD, Op::FcvtWuD, Op::FcvtLD, Op::FcvtLuD]),
        0x68 => rounded(*[Op::FcvtSW, Op::FcvtSWu, Op::FcvtSL, Op::FcvtSLu].get(rs2(b) as usize)?),
        0x69 => rounded(*[Op::FcvtDW, Op::FcvtDWu, Op::FcvtDL, Op::FcvtDLu].get(rs2(b) as usize)?),
        0x70 if rs2(b) == 0 => to_x(*[Op::FmvXW, Op::FclassS].get(funct3(b) as usize)?),
        0x71 if rs2(b) == 0 => to_x(*[Op::FmvXD, Op::FclassD].get(funct3(b) as usize)?),
        0x78 if rs2(b) == 0 && funct3(b) == 0 => exact(Op::FmvWX),
        0x79 if rs2(b) == 0 && funct3(b) == 0 => exact(Op::FmvDX),
        _ => None,
    }
}

fn to_integer(b: u32, ops: [Op; 4]) -> Option<Inst> {
    let op = *ops.get(rs2(b) as usize)?;
    Some(Inst::with_x(op, rd(b), rs1(b), 0, rounding(b)?))
}
