//! The host's arithmetic where it cannot differ from ours.
//!
//! Called by the interpreter before the functions of [`super`]. When "inexact" is already accrued, the
//! mode is to nearest even, and the host's result is a normal number well inside the range, then the
//! standard fixes the result's bits, and no flag can change: not NV or DZ (the result would not be
//! finite), not OF or UF (it is inside the range), and NX is set. In every other case the answer is
//! `None`. Hosts and WebAssembly both compute binary32 and binary64 by the standard.

use super::Flags;

/// Whether the host may be asked, in this rounding mode (as `frm` has it) and with these flags accrued.
#[inline(always)]
pub fn applies(mode: u32, flags: Flags) -> bool {
    mode == 0 && flags.0 & Flags::NX != 0
}

/// A binary64 result of `operation`.
#[inline(always)]
pub fn double(a: u64, b: u64, operation: impl FnOnce(f64, f64) -> f64) -> Option<u64> {
    let result = operation(f64::from_bits(a), f64::from_bits(b));
    // Strictly above the smallest normal number: that one itself may be a tiny value rounded up.
    let magnitude = result.abs();
    (magnitude > f64::MIN_POSITIVE && magnitude <= f64::MAX).then(|| result.to_bits())
}

/// A binary32 result of `operation`.
#[inline(always)]
pub fn single(a: u64, b: u64, operation: impl FnOnce(f32, f32) -> f32) -> Option<u64> {
    let result = operation(f32::from_bits(a as u32), f32::from_bits(b as u32));
    let magnitude = result.abs();
    (magnitude > f32::MIN_POSITIVE && magnitude <= f32::MAX).then(|| u64::from(result.to_bits()))
}
