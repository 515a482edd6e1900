//! Addition and subtraction, and the sum that fused operations end with.
//!
//! Called by the interpreter through [`super`], and by [`super::multiply`].

use super::pack::{Class, Parts, infinity, round, shift_right_sticky, unpack, zero};
use super::{Flags, Format, Rounding, invalid, is_nan, propagate};

/// `a + b`.
pub fn add<F: Format>(a: u64, b: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        return propagate::<F>(&[a, b], flags);
    }
    let (x, y) = (unpack::<F>(a), unpack::<F>(b));
    match (x.class, y.class) {
        (Class::Infinity, Class::Infinity) if x.negative != y.negative => invalid::<F>(flags),
        (Class::Infinity, _) => a,
        (_, Class::Infinity) => b,
        (Class::Zero, Class::Zero) if x.negative == y.negative => a,
        (Class::Zero, Class::Zero) => zero::<F>(mode == Rounding::Down),
        (Class::Zero, _) => b,
        (_, Class::Zero) => a,
        _ => sum::<F>(Wide::from(x), Wide::from(y), mode, flags),
    }
}

/// `a - b`.
pub fn sub<F: Format>(a: u64, b: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    // Negating a NaN is harmless: the sign of a NaN operand is never looked at.
    add::<F>(a, b ^ F::SIGN, mode, flags)
}

/// A finite term: `significand * 2^(exponent - 126)`. The top bit is clear, so that two can be added,
/// and one of the two below it is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide {
    pub negative: bool,
    pub exponent: i32,
    pub significand: u128,
}

impl From<Parts> for Wide {
    fn from(parts: Parts) -> Self {
        Self {
            negative: parts.negative,
            exponent: parts.exponent,
            significand: u128::from(parts.significand) << 63,
        }
    }
}

/// Adds two finite terms that are not zero. The term with the smaller exponent is shifted with a sticky
/// bit; if any bit was lost, the terms are so far apart that at most two leading bits cancel, which leaves
/// the sticky bit far below the precision.
pub(super) fn sum<F: Format>(x: Wide, y: Wide, mode: Rounding, flags: &mut Flags) -> u64 {
    let (large, small) = if x.exponent >= y.exponent { (x, y) } else { (y, x) };
    let distance = (large.exponent - small.exponent) as u32;
    let aligned = shift_right_sticky(small.significand, distance);
    let (negative, significand) = if large.negative == small.negative {
        (large.negative, large.significand + aligned)
    } else if large.significand >= aligned {
        (large.negative, large.significand - aligned)
    } else {
        (small.negative, aligned - large.significand)
    };
    if significand == 0 {
        return zero::<F>(mode == Rounding::Down);
    }
    round::<F>(negative, large.exponent + 1, significand, mode, flags)
}

/// The sum of a product that is infinite and a term, by their signs: shared by the fused operations.
pub(super) fn infinite_sum<F: Format>(
    product_negative: bool,
    term: Parts,
    flags: &mut Flags,
) -> u64 {
    if term.class == Class::Infinity && term.negative != product_negative {
        invalid::<F>(flags)
    } else {
        infinity::<F>(product_negative)
    }
}
