//! IEEE 754 binary32 and binary64 as RISC-V wants them: five rounding modes, five flags, one NaN.
//!
//! Called by the interpreter with register contents as bits. Our own, because of the libraries at hand
//! `rustc_apfloat` has no square root and reports underflow in its own way, and ports of Berkeley
//! SoftFloat keep rounding mode and flags in globals, while here all state must lie in the machine. It
//! is small because every operation makes an exact (or sticky) 128-bit significand and one function
//! rounds it.
//!
//! Nothing here may depend on the host's floating point, with one exception that cannot show:
//! [`quick`], where the result is the same bits by the standard.
//!
//! Rules: IEEE 754-2019; unprivileged specification, chapter "F Extension" (NaN generation, tininess
//! after rounding, minimum and maximum, conversions to integers).

mod add;
mod compare;
mod convert;
mod divide;
mod multiply;
mod pack;
pub(crate) mod quick;
#[cfg(test)]
mod tests;

pub use add::{add, sub};
pub use compare::{classify, equal, less, less_or_equal, maximum, minimum};
pub use convert::{Integer, from_integer, to_integer, to_other};
pub use divide::{div, sqrt};
pub use multiply::{mul, mul_add};

/// A binary interchange format. Values travel as their bits in the low end of a `u64`.
pub trait Format {
    /// Bits of the stored fraction.
    const FRACTION: u32;
    /// Bits of the exponent.
    const EXPONENT: u32;

    /// The exponent's bias, and the largest exponent of a finite value.
    const BIAS: i32 = (1 << (Self::EXPONENT - 1)) - 1;
    /// The smallest exponent of a normal value.
    const MIN_EXPONENT: i32 = 1 - Self::BIAS;
    /// Significant bits.
    const PRECISION: u32 = Self::FRACTION + 1;
    /// Mask of the stored fraction.
    const FRACTION_MASK: u64 = (1 << Self::FRACTION) - 1;
    /// All exponent bits set, unshifted.
    const EXPONENT_MASK: u64 = (1 << Self::EXPONENT) - 1;
    /// The sign bit.
    const SIGN: u64 = 1 << (Self::FRACTION + Self::EXPONENT);
    /// Positive infinity.
    const INFINITY: u64 = Self::EXPONENT_MASK << Self::FRACTION;
    /// The first bit of the fraction: set in a quiet NaN.
    const QUIET: u64 = 1 << (Self::FRACTION - 1);
    /// The only NaN that an operation makes.
    const NAN: u64 = Self::INFINITY | Self::QUIET;
}

/// binary32.
#[derive(Clone, Copy, Debug)]
pub struct Single;
/// binary64.
#[derive(Clone, Copy, Debug)]
pub struct Double;

impl Format for Single {
    const FRACTION: u32 = 23;
    const EXPONENT: u32 = 8;
}

impl Format for Double {
    const FRACTION: u32 = 52;
    const EXPONENT: u32 = 11;
}

/// Rounding modes in the order of the `frm` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even (RNE).
    NearestEven,
    /// Towards zero (RTZ).
    TowardsZero,
    /// Towards negative infinity (RDN).
    Down,
    /// Towards positive infinity (RUP).
    Up,
    /// To nearest, ties away from zero (RMM).
    NearestAway,
}

impl Rounding {
    /// The mode of an `frm` value, if it is one.
    pub fn from_bits(bits: u32) -> Option<Self> {
        Some(match bits {
            0 => Self::NearestEven,
            1 => Self::TowardsZero,
            2 => Self::Down,
            3 => Self::Up,
            4 => Self::NearestAway,
            _ => return None,
        })
    }
}

/// Accrued exceptions, as in `fflags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// Inexact.
    pub const NX: u8 = 1;
    /// Underflow.
    pub const UF: u8 = 2;
    /// Overflow.
    pub const OF: u8 = 4;
    /// Division by zero.
    pub const DZ: u8 = 8;
    /// Invalid operation.
    pub const NV: u8 = 16;

    /// Adds exceptions.
    pub fn raise(&mut self, flags: u8) {
        self.0 |= flags;
    }
}

/// Whether the bits are any NaN.
pub fn is_nan<F: Format>(a: u64) -> bool {
    a & !F::SIGN > F::INFINITY
}

/// Whether the bits are a signaling NaN.
pub fn is_signaling<F: Format>(a: u64) -> bool {
    is_nan::<F>(a) && a & F::QUIET == 0
}

/// The NaN of an operation with a NaN among its operands; a signaling one is an invalid operation.
fn propagate<F: Format>(operands: &[u64], flags: &mut Flags) -> u64 {
    if operands.iter().any(|&a| is_signaling::<F>(a)) {
        flags.raise(Flags::NV);
    }
    F::NAN
}

/// The NaN of an invalid operation.
fn invalid<F: Format>(flags: &mut Flags) -> u64 {
    flags.raise(Flags::NV);
    F::NAN
}
