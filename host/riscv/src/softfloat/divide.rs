//! Division and square root.
//!
//! Called by the interpreter through [`super`].

use super::pack::{Class, infinity, round, unpack, zero};
use super::{Flags, Format, Rounding, invalid, is_nan, propagate};

/// `a / b`.
pub fn div<F: Format>(a: u64, b: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        return propagate::<F>(&[a, b], flags);
    }
    let (x, y) = (unpack::<F>(a), unpack::<F>(b));
    let negative = x.negative != y.negative;
    match (x.class, y.class) {
        (Class::Infinity, Class::Infinity) | (Class::Zero, Class::Zero) => invalid::<F>(flags),
        (Class::Infinity, _) => infinity::<F>(negative),
        (_, Class::Infinity) | (Class::Zero, _) => zero::<F>(negative),
        (_, Class::Zero) => {
            flags.raise(Flags::DZ);
            infinity::<F>(negative)
        }
        _ => {
            // Both significands have bit 63 set, so the quotient has 63 or 64 bits.
            let dividend = u128::from(x.significand) << 63;
            let divisor = u128::from(y.significand);
            let sticky = u128::from(dividend % divisor != 0);
            let quotient = (dividend / divisor) << 64 | sticky;
            round::<F>(negative, x.exponent - y.exponent, quotient, mode, flags)
        }
    }
}

/// The square root of `a`.
pub fn sqrt<F: Format>(a: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<F>(a) {
        return propagate::<F>(&[a], flags);
    }
    let x = unpack::<F>(a);
    match x.class {
        Class::Zero => a,
        _ if x.negative => invalid::<F>(flags),
        Class::Infinity => a,
        Class::Finite => {
            // a = radicand * 2^(2 * half), with the radicand as long as 128 bits allow.
            let shift = if x.exponent & 1 == 0 { 63 } else { 64 };
            let radicand = u128::from(x.significand) << shift;
            let half = (x.exponent - 63 - shift) / 2;
            let root = radicand.isqrt();
            let sticky = u128::from(root * root != radicand);
            round::<F>(false, half + 63, root << 64 | sticky, mode, flags)
        }
    }
}
