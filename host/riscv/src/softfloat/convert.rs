//! Conversions to and from integers and between the formats.
//!
//! Called by the interpreter through [`super`].

use super::pack::{Class, infinity, round, rounds_up, shift_right_sticky, unpack, zero};
use super::{Flags, Format, Rounding, is_nan, propagate};

/// The integers that conversions know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
}

impl Integer {
    /// The smallest and the largest value.
    fn range(self) -> (i128, i128) {
        match self {
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }

    /// The value in a register: 32-bit results are sign-extended, unsigned ones too.
    fn to_register(self, value: i128) -> u64 {
        match self {
            Self::I32 | Self::U32 => value as i32 as u64,
            Self::I64 | Self::U64 => value as u64,
        }
    }

    fn value(self, value: u64) -> i128 {
        match self {
            Self::I32 => (value as i32).into(),
            Self::U32 => (value as u32).into(),
            Self::I64 => (value as i64).into(),
            Self::U64 => value.into(),
        }
    }
}

/// The integer nearest by the mode, as a register holds it. What does not fit, a NaN included, is
/// invalid and delivers the nearest end of the range (a NaN the upper one), without "inexact".
pub fn to_integer<F: Format>(a: u64, to: Integer, mode: Rounding, flags: &mut Flags) -> u64 {
    let (low, high) = to.range();
    let out = |negative, flags: &mut Flags| {
        flags.raise(Flags::NV);
        to.to_register(if negative { low } else { high })
    };
    if is_nan::<F>(a) {
        return out(false, flags);
    }
    let x = unpack::<F>(a);
    match x.class {
        Class::Zero => return 0,
        Class::Infinity => return out(x.negative, flags),
        // Above every range; shifting such a value would lose it.
        Class::Finite if x.exponent > 64 => return out(x.negative, flags),
        Class::Finite => {}
    }
    // Fixed point with 62 bits of fraction: exponents up to 64 fit.
    let wide = u128::from(x.significand);
    let shift = x.exponent - 1;
    let fixed =
        if shift >= 0 { wide << shift } else { shift_right_sticky(wide, shift.unsigned_abs()) };
    let whole = fixed >> 62;
    let lost = fixed & ((1 << 62) - 1);
    let up = rounds_up(mode, x.negative, whole & 1 == 1, lost, 1 << 61);
    let magnitude = whole as i128 + i128::from(up);
    let value = if x.negative { -magnitude } else { magnitude };
    if value < low || value > high {
        return out(x.negative, flags);
    }
    if lost != 0 {
        flags.raise(Flags::NX);
    }
    to.to_register(value)
}

/// The value of an integer in a register.
pub fn from_integer<F: Format>(
    register: u64,
    from: Integer,
    mode: Rounding,
    flags: &mut Flags,
) -> u64 {
    let value = from.value(register);
    if value == 0 {
        return 0;
    }
    round::<F>(value < 0, 127, value.unsigned_abs(), mode, flags)
}

/// The value in another format.
pub fn to_other<From: Format, To: Format>(a: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<From>(a) {
        propagate::<From>(&[a], flags);
        return To::NAN;
    }
    let x = unpack::<From>(a);
    match x.class {
        Class::Zero => zero::<To>(x.negative),
        Class::Infinity => infinity::<To>(x.negative),
        Class::Finite => {
            round::<To>(x.negative, x.exponent, u128::from(x.significand) << 64, mode, flags)
        }
    }
}
