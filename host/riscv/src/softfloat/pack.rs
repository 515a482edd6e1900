//! Between bits and significands: taking values apart, and rounding results into a format.
//!
//! Called by every operation of [`super`]; [`round`] is the only place that rounds to a format.

use super::{Flags, Format, Rounding};

/// What the bits of an operand that is not a NaN mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Zero,
    Finite,
    Infinity,
}

/// An operand that is not a NaN, taken apart. A finite one is `significand * 2^(exponent - 63)`, with
/// bit 63 of the significand set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub class: Class,
    pub negative: bool,
    pub exponent: i32,
    pub significand: u64,
}

pub(super) fn unpack<F: Format>(a: u64) -> Parts {
    let negative = a & F::SIGN != 0;
    let fraction = a & F::FRACTION_MASK;
    let biased = a >> F::FRACTION & F::EXPONENT_MASK;
    let parts = |class, exponent, significand| Parts { class, negative, exponent, significand };
    if biased == F::EXPONENT_MASK {
        parts(Class::Infinity, 0, 0)
    } else if biased != 0 {
        let significand = (fraction | 1 << F::FRACTION) << (63 - F::FRACTION);
        parts(Class::Finite, biased as i32 - F::BIAS, significand)
    } else if fraction == 0 {
        parts(Class::Zero, 0, 0)
    } else {
        let shift = fraction.leading_zeros();
        let exponent = F::MIN_EXPONENT - (shift as i32 - (63 - F::FRACTION as i32));
        parts(Class::Finite, exponent, fraction << shift)
    }
}

/// Positive or negative zero.
pub(super) fn zero<F: Format>(negative: bool) -> u64 {
    if negative { F::SIGN } else { 0 }
}

/// Positive or negative infinity.
pub(super) fn infinity<F: Format>(negative: bool) -> u64 {
    F::INFINITY | zero::<F>(negative)
}

/// Shifts right and keeps in the lowest bit whether anything was lost.
pub(super) fn shift_right_sticky(value: u128, by: u32) -> u128 {
    if by == 0 {
        value
    } else if by < 128 {
        value >> by | u128::from(value << (128 - by) != 0)
    } else {
        u128::from(value != 0)
    }
}

/// Whether a magnitude goes up to the next representable one. `lost` is what lies below the last bit,
/// as a fraction of `2 * half`.
pub(super) fn rounds_up(mode: Rounding, negative: bool, odd: bool, lost: u128, half: u128) -> bool {
    match mode {
        Rounding::NearestEven => lost > half || lost == half && odd,
        Rounding::NearestAway => lost >= half,
        Rounding::TowardsZero => false,
        Rounding::Down => negative && lost != 0,
        Rounding::Up => !negative && lost != 0,
    }
}

/// Rounds `significand * 2^(exponent - 127)` into the format. The significand is not zero; it need not
/// be normalised; its lowest bit may be sticky as long as it has two bits more than the precision.
pub(super) fn round<F: Format>(
    negative: bool,
    exponent: i32,
    significand: u128,
    mode: Rounding,
    flags: &mut Flags,
) -> u64 {
    let shift = significand.leading_zeros();
    let significand = significand << shift;
    let exponent = exponent - shift as i32;

    let dropped = 128 - F::PRECISION;
    let half = 1u128 << (dropped - 1);
    let mask = (1u128 << dropped) - 1;
    let step = |significand: u128| {
        let kept = (significand >> dropped) as u64;
        let lost = significand & mask;
        let up = rounds_up(mode, negative, kept & 1 == 1, lost, half);
        (kept + u64::from(up), lost != 0)
    };

    if exponent >= F::MIN_EXPONENT {
        let (kept, inexact) = step(significand);
        if inexact {
            flags.raise(Flags::NX);
        }
        // Adding, not or-ing: a carry out of the significand raises the exponent.
        let biased = (exponent + F::BIAS - 1) as u64;
        let magnitude = (biased << F::FRACTION).wrapping_add(kept);
        if exponent > F::BIAS || magnitude >= F::INFINITY {
            flags.raise(Flags::OF | Flags::NX);
            return overflow::<F>(negative, mode);
        }
        return magnitude | zero::<F>(negative);
    }

    // Below the normal range. Tiny is what is below it even when rounded with an unbounded exponent.
    let (unbounded, _) = step(significand);
    let reaches_normal = exponent == F::MIN_EXPONENT - 1 && unbounded >> F::PRECISION == 1;
    let by = (F::MIN_EXPONENT - exponent) as u32;
    let (kept, inexact) = step(shift_right_sticky(significand, by));
    if inexact {
        flags.raise(if reaches_normal { Flags::NX } else { Flags::NX | Flags::UF });
    }
    kept | zero::<F>(negative)
}

/// What an overflow delivers: infinity, or the largest finite value where the mode rounds inwards.
fn overflow<F: Format>(negative: bool, mode: Rounding) -> u64 {
    let inwards = match mode {
        Rounding::NearestEven | Rounding::NearestAway => false,
        Rounding::TowardsZero => true,
        Rounding::Down => !negative,
        Rounding::Up => negative,
    };
    infinity::<F>(negative) - u64::from(inwards)
}
