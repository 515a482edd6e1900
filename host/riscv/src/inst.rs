//! A decoded instruction: what the interpreter's loop reads instead of the bits in memory.
//!
//! The decoder makes one per halfword of a code page, on first use, and the loop reads it every time
//! after that, so it is eight bytes: a page's instructions stay in the first-level cache. It must
//! never hold anything that depends on where the instruction lies or on the state of the hart: the
//! same page may be mapped at many addresses.

/// Where a result goes that nobody reads: `x0` as a destination. It is a slot behind the 32 registers,
/// so that writing needs no test and `x[0]` stays zero.
pub const DISCARD: u8 = 32;

/// The size of the register array: a power of two, so that a masked index needs no bounds check.
pub const X_SLOTS: usize = 64;

/// One decoded instruction.
///
/// `imm` holds the immediate; for loads of the floating-point group it is an offset too; for
/// register-to-register floating point it is the rounding mode, and for fused operations
/// `rs3 << 8 | rounding mode`; for CSR operations `csr << 8 | immediate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    /// The immediate, sign-extended.
    pub imm: i32,
    /// What to do.
    pub op: Op,
    rd: u8,
    rs1: u8,
    /// Low five bits: the register. Bits 5 and 6: the length in bytes, 2 or 4.
    rs2_len: u8,
}

impl Inst {
    /// Not decoded yet: the loop decodes when it meets one.
    pub const UNDECODED: Self = Self { imm: 0, op: Op::Undecoded, rd: 0, rs1: 0, rs2_len: 0 };
    /// Behind the last halfword of a page: the loop looks up the next page.
    pub const END_OF_PAGE: Self = Self { imm: 0, op: Op::EndOfPage, rd: 0, rs1: 0, rs2_len: 0 };
    /// A 32-bit instruction whose second half is on the next page: fetched anew each time, because
    /// which page is next depends on the mapping.
    pub const CROSSES: Self = Self { imm: 0, op: Op::Crosses, rd: 0, rs1: 0, rs2_len: 0 };

    /// A four-byte instruction.
    pub fn new(op: Op, rd: u32, rs1: u32, rs2: u32, imm: i32) -> Self {
        Self { imm, op, rd: rd as u8, rs1: rs1 as u8, rs2_len: (rs2 & 31) as u8 | 4 << 4 }
    }

    /// The same with an integer destination, where `x0` means that nobody reads it.
    pub fn with_x(op: Op, rd: u32, rs1: u32, rs2: u32, imm: i32) -> Self {
        let rd = if rd == 0 { u32::from(DISCARD) } else { rd };
        Self::new(op, rd, rs1, rs2, imm)
    }

    /// The same instruction in two bytes.
    pub fn compressed(self) -> Self {
        Self { rs2_len: self.rs2_len & 31 | 2 << 4, ..self }
    }

    /// Destination: below [`X_SLOTS`].
    #[inline(always)]
    pub fn rd(self) -> usize {
        usize::from(self.rd & 63)
    }

    /// Destination among the 32 floating-point registers.
    #[inline(always)]
    pub fn fd(self) -> usize {
        usize::from(self.rd & 31)
    }

    /// First source.
    #[inline(always)]
    pub fn rs1(self) -> usize {
        usize::from(self.rs1 & 31)
    }

    /// Second source.
    #[inline(always)]
    pub fn rs2(self) -> usize {
        usize::from(self.rs2_len & 31)
    }

    /// Third source of fused operations.
    #[inline(always)]
    pub fn rs3(self) -> usize {
        (self.imm >> 8 & 31) as usize
    }

    /// The rounding mode field of floating-point operations.
    #[inline(always)]
    pub fn rm(self) -> u32 {
        self.imm as u32 & 7
    }

    /// Length in bytes.
    #[inline(always)]
    pub fn len(self) -> u64 {
        u64::from(self.rs2_len >> 4 & 6)
    }
}

/// The operations. Names are the specification's mnemonics (unprivileged specification, chapters
/// "RV32/64G Instruction Set Listings" and those of each extension).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[rustfmt::skip]
#[repr(u8)]
pub enum Op {
    // Marks of the decoded page
    Undecoded, EndOfPage, Crosses, Illegal,
    // RV64I
    Nop, Lui, Auipc, Jal, Jalr,
    Beq, Bne, Blt, Bge, Bltu, Bgeu,
    Lb, Lh, Lw, Ld, Lbu, Lhu, Lwu,
    Sb, Sh, Sw, Sd,
    Addi, Slti, Sltiu, Xori, Ori, Andi, Slli, Srli, Srai,
    Addiw, Slliw, Srliw, Sraiw,
    Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And,
    Addw, Subw, Sllw, Srlw, Sraw,
    Ecall, Ebreak,
    // Zifencei
    FenceI,
    // Zicsr
    Csrrw, Csrrs, Csrrc, Csrrwi, Csrrsi, Csrrci,
    // M
    Mul, Mulh, Mulhsu, Mulhu, Div, Divu, Rem, Remu,
    Mulw, Divw, Divuw, Remw, Remuw,
    // A
    LrW, ScW, AmoswapW, AmoaddW, AmoxorW, AmoandW, AmoorW, AmominW, AmomaxW, AmominuW, AmomaxuW,
    LrD, ScD, AmoswapD, AmoaddD, AmoxorD, AmoandD, AmoorD, AmominD, AmomaxD, AmominuD, AmomaxuD,
    // F and D, memory
    Flw, Fld, Fsw, Fsd,
    // F
    FmaddS, FmsubS, FnmsubS, FnmaddS,
    FaddS, FsubS, FmulS, FdivS, FsqrtS, FsgnjS, FsgnjnS, FsgnjxS, FminS, FmaxS,
    FcvtWS, FcvtWuS, FcvtLS, FcvtLuS, FcvtSW, FcvtSWu, FcvtSL, FcvtSLu,
    FmvXW, FmvWX, FeqS, FltS, FleS, FclassS,
    // D
    FmaddD, FmsubD, FnmsubD, FnmaddD,
    FaddD, FsubD, FmulD, FdivD, FsqrtD, FsgnjD, FsgnjnD, FsgnjxD, FminD, FmaxD,
    FcvtWD, FcvtWuD, FcvtLD, FcvtLuD, FcvtDW, FcvtDWu, FcvtDL, FcvtDLu,
    FcvtSD, FcvtDS,
    FmvXD, FmvDX, FeqD, FltD, FleD, FclassD,
    // Supervisor
    Sret, Wfi, SfenceVma,
}
