//! A decoded instruction: what the interpreter's loop reads instead of the bits in memory.
//!
//! The decoder makes one per halfword of a code page, on first use, and the loop reads it every time
//! after that, so it is eight bytes: a page's instructions stay in the first-level cache. It must
//! never hold anything that depends on where the instruction lies or on the state of the hart: the
//! same page may be mapped at many addresses.

/// Where a result goes that nobody reads: `x0` as a destination. It is a slot behind the 32 registers,
/// so that writing needs no test and `x[0]` stays zero.
pub const DISCARD: u32 = 32;

/// The size of the register array: a power of two, so that a masked index needs no bounds check.
pub const X_SLOTS: usize = 64;

/// One decoded instruction, packed into a word so that it is loaded at once.
///
/// From the low end: operation (8 bits), destination (8), first source (8), second source (5), length in
/// halfwords (3), immediate (32, signed). The immediate of loads and stores is an offset; of
/// register-to-register floating point it is the rounding mode, and for fused operations
/// `rs3 << 8 | rounding mode`; of CSR operations `csr << 8 | immediate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst(u64);

impl Inst {
    /// Not decoded yet: the loop decodes when it meets one.
    pub const UNDECODED: Self = Self(Op::Undecoded as u64);
    /// Behind the last halfword of a page: the loop looks up the next page.
    pub const END_OF_PAGE: Self = Self(Op::EndOfPage as u64);
    /// A 32-bit instruction whose second half is on the next page: fetched anew each time, because
    /// which page is next depends on the mapping.
    pub const CROSSES: Self = Self(Op::Crosses as u64);

    /// A four-byte instruction.
    pub fn new(op: Op, rd: u32, rs1: u32, rs2: u32, imm: i32) -> Self {
        let fields = op as u64 | u64::from(rd) << 8 | u64::from(rs1) << 16 | u64::from(rs2) << 24;
        Self(fields | 2 << 29 | (imm as u64) << 32)
    }

    /// The same with an integer destination, where `x0` means that nobody reads it.
    pub fn with_x(op: Op, rd: u32, rs1: u32, rs2: u32, imm: i32) -> Self {
        let rd = if rd == 0 { DISCARD } else { rd };
        Self::new(op, rd, rs1, rs2, imm)
    }

    /// The same instruction in two bytes.
    pub fn compressed(self) -> Self {
        Self(self.0 & !(7 << 29) | 1 << 29)
    }

    /// What to do.
    #[inline(always)]
    pub fn op(self) -> Op {
        Op::from_byte(self.0 as u8)
    }

    /// The immediate.
    #[inline(always)]
    pub fn imm(self) -> i32 {
        (self.0 >> 32) as i32
    }

    /// Destination: below [`X_SLOTS`].
    #[inline(always)]
    pub fn rd(self) -> usize {
        (self.0 >> 8 & 63) as usize
    }

    /// Destination among the 32 floating-point registers.
    #[inline(always)]
    pub fn fd(self) -> usize {
        (self.0 >> 8 & 31) as usize
    }

    /// First source.
    #[inline(always)]
    pub fn rs1(self) -> usize {
        (self.0 >> 16 & 31) as usize
    }

    /// Second source.
    #[inline(always)]
    pub fn rs2(self) -> usize {
        (self.0 >> 24 & 31) as usize
    }

    /// Third source of fused operations.
    #[inline(always)]
    pub fn rs3(self) -> usize {
        (self.0 >> 40 & 31) as usize
    }

    /// The rounding mode field of floating-point operations.
    #[inline(always)]
    pub fn rm(self) -> u32 {
        (self.0 >> 32 & 7) as u32
    }

    /// Length in halfwords, 1 or 2.
    #[inline(always)]
    pub fn halfwords(self) -> usize {
        (self.0 as u32 >> 29) as usize
    }

    /// Length in bytes.
    #[inline(always)]
    pub fn len(self) -> u64 {
        2 * self.halfwords() as u64
    }
}

/// Defines the operations and the way back from a byte, which costs nothing: the byte is the operation.
macro_rules! operations {
    ($($op:ident),* $(,)?) => {
        /// The operations. Names are the specification's mnemonics (unprivileged specification, chapter
        /// "RV32/64G Instruction Set Listings" and those of each extension).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($op),* }

        impl Op {
            #[inline(always)]
            #[expect(non_upper_case_globals, reason = "named as the operations are")]
            fn from_byte(byte: u8) -> Self {
                $(const $op: u8 = Op::$op as u8;)*
                match byte {
                    $($op => Self::$op,)*
                    _ => Self::Illegal,
                }
            }
        }
    };
}

#[rustfmt::skip]
operations! {
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
