//! Comparisons, minimum and maximum, classes.
//!
//! Called by the interpreter through [`super`].

use super::{Flags, Format, is_nan, is_signaling};

/// A key that orders values that are no NaN as numbers, the two zeros apart.
fn key<F: Format>(a: u64) -> i64 {
    let magnitude = (a & !F::SIGN) as i64;
    if a & F::SIGN != 0 { -1 - magnitude } else { magnitude }
}

fn both_zero<F: Format>(a: u64, b: u64) -> bool {
    (a | b) & !F::SIGN == 0
}

fn unordered<F: Format>(a: u64, b: u64) -> bool {
    is_nan::<F>(a) || is_nan::<F>(b)
}

/// `a == b`; only a signaling NaN is invalid.
pub fn equal<F: Format>(a: u64, b: u64, flags: &mut Flags) -> bool {
    if unordered::<F>(a, b) {
        if is_signaling::<F>(a) || is_signaling::<F>(b) {
            flags.raise(Flags::NV);
        }
        return false;
    }
    a == b || both_zero::<F>(a, b)
}

/// `a < b`; any NaN is invalid.
pub fn less<F: Format>(a: u64, b: u64, flags: &mut Flags) -> bool {
    if unordered::<F>(a, b) {
        flags.raise(Flags::NV);
        return false;
    }
    key::<F>(a) < key::<F>(b) && !both_zero::<F>(a, b)
}

/// `a <= b`; any NaN is invalid.
pub fn less_or_equal<F: Format>(a: u64, b: u64, flags: &mut Flags) -> bool {
    if unordered::<F>(a, b) {
        flags.raise(Flags::NV);
        return false;
    }
    key::<F>(a) <= key::<F>(b) || both_zero::<F>(a, b)
}

/// The smaller; of a NaN and a number the number; negative zero is smaller than positive zero.
pub fn minimum<F: Format>(a: u64, b: u64, flags: &mut Flags) -> u64 {
    choose::<F>(a, b, key::<F>(a) <= key::<F>(b), flags)
}

/// The larger, by the same rules.
pub fn maximum<F: Format>(a: u64, b: u64, flags: &mut Flags) -> u64 {
    choose::<F>(a, b, key::<F>(a) >= key::<F>(b), flags)
}

fn choose<F: Format>(a: u64, b: u64, first: bool, flags: &mut Flags) -> u64 {
    if is_signaling::<F>(a) || is_signaling::<F>(b) {
        flags.raise(Flags::NV);
    }
    match (is_nan::<F>(a), is_nan::<F>(b)) {
        (true, true) => F::NAN,
        (true, false) => b,
        (false, true) => a,
        (false, false) => {
            if first {
                a
            } else {
                b
            }
        }
    }
}

/// The class as `fclass` gives it: one bit of ten.
pub fn classify<F: Format>(a: u64) -> u64 {
    let negative = a & F::SIGN != 0;
    let magnitude = a & !F::SIGN;
    let bit = if is_signaling::<F>(a) {
        8
    } else if is_nan::<F>(a) {
        9
    } else if magnitude == F::INFINITY {
        if negative { 0 } else { 7 }
    } else if magnitude > F::FRACTION_MASK {
        if negative { 1 } else { 6 }
    } else if magnitude != 0 {
        if negative { 2 } else { 5 }
    } else if negative {
        3
    } else {
        4
    };
    1 << bit
}
