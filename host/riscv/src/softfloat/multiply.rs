//! Multiplication, alone and fused with an addition.
//!
//! Called by the interpreter through [`super`].

use super::add::{Wide, infinite_sum, sum};
use super::pack::{Class, infinity, round, unpack, zero};
use super::{Flags, Format, Rounding, invalid, is_nan, propagate};

/// `a * b`.
pub fn mul<F: Format>(a: u64, b: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        return propagate::<F>(&[a, b], flags);
    }
    let (x, y) = (unpack::<F>(a), unpack::<F>(b));
    let negative = x.negative != y.negative;
    match (x.class, y.class) {
        (Class::Infinity, Class::Zero) | (Class::Zero, Class::Infinity) => invalid::<F>(flags),
        (Class::Infinity, _) | (_, Class::Infinity) => infinity::<F>(negative),
        (Class::Zero, _) | (_, Class::Zero) => zero::<F>(negative),
        _ => {
            let product = u128::from(x.significand) * u128::from(y.significand);
            round::<F>(negative, x.exponent + y.exponent + 1, product, mode, flags)
        }
    }
}

/// `a * b + c` with one rounding. Infinity times zero is invalid even when `c` is a quiet NaN.
pub fn mul_add<F: Format>(a: u64, b: u64, c: u64, mode: Rounding, flags: &mut Flags) -> u64 {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        return propagate::<F>(&[a, b, c], flags);
    }
    let (x, y) = (unpack::<F>(a), unpack::<F>(b));
    let negative = x.negative != y.negative;
    if matches!((x.class, y.class), (Class::Infinity, Class::Zero) | (Class::Zero, Class::Infinity))
    {
        return invalid::<F>(flags);
    }
    if is_nan::<F>(c) {
        return propagate::<F>(&[c], flags);
    }
    let z = unpack::<F>(c);
    if x.class == Class::Infinity || y.class == Class::Infinity {
        return infinite_sum::<F>(negative, z, flags);
    }
    if z.class == Class::Infinity {
        return c;
    }
    if x.class == Class::Zero || y.class == Class::Zero {
        return match z.class {
            Class::Zero if z.negative == negative => c,
            Class::Zero => zero::<F>(mode == Rounding::Down),
            _ => c,
        };
    }
    // The lowest bits of both factors are zero (a significand has at most 53 of 64 bits), so that
    // making room at the top loses nothing.
    let product = Wide {
        negative,
        exponent: x.exponent + y.exponent,
        significand: (u128::from(x.significand) * u128::from(y.significand)) >> 1,
    };
    let product = Wide { exponent: product.exponent + 1, ..product };
    if z.class == Class::Zero {
        return round::<F>(negative, product.exponent + 1, product.significand, mode, flags);
    }
    sum::<F>(product, Wide::from(z), mode, flags)
}
