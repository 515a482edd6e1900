//! Cases chosen by hand. The wide comparison is the differential test against QEMU.

use super::*;
use alloc::vec::Vec;

const RNE: Rounding = Rounding::NearestEven;

fn d(value: f64) -> u64 {
    value.to_bits()
}

/// Against the host's arithmetic, which is to nearest even, on values at the edges.
#[test]
fn agrees_with_the_host_where_the_host_can_say() {
    let edges: Vec<u64> =
        [0.0, 1.0, -1.0, 1.5, 3.0, 1e308, -1e308, 1e-308, 5e-324, 2.2250738585072014e-308]
            .iter()
            .flat_map(|&v: &f64| {
                [v.to_bits(), v.to_bits() + 1, v.to_bits().wrapping_sub(1) & !(1 << 63)]
            })
            .filter(|&b| !f64::from_bits(b).is_nan())
            .collect();
    let mut compared = 0;
    for &a in &edges {
        for &b in &edges {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            let mut f = Flags::default();
            let pairs = [
                (add::<Double>(a, b, RNE, &mut f), x + y),
                (sub::<Double>(a, b, RNE, &mut f), x - y),
                (mul::<Double>(a, b, RNE, &mut f), x * y),
                (div::<Double>(a, b, RNE, &mut f), x / y),
                (mul_add::<Double>(a, b, a, RNE, &mut f), x.mul_add(y, x)),
            ];
            for (ours, host) in pairs {
                let host = if host.is_nan() { Double::NAN } else { host.to_bits() };
                assert_eq!(ours, host, "{x:e} {y:e}");
                compared += 1;
            }
            let narrow = to_other::<Double, Single>(a, RNE, &mut f);
            assert_eq!(narrow, u64::from((x as f32).to_bits()), "{x:e}");
        }
        let root = f64::from_bits(a).sqrt();
        let root = if root.is_nan() { Double::NAN } else { root.to_bits() };
        assert_eq!(sqrt::<Double>(a, RNE, &mut Flags::default()), root);
    }
    assert!(compared > 3000);
}

/// A value that rounds up to the smallest normal number is tiny or not by what an unbounded exponent
/// would have made of it.
#[test]
fn tininess_is_detected_after_rounding() {
    // (1 - 2^-53) * 2^-1022: exact at 53 bits, so it is tiny; it rounds up to the smallest normal.
    let just_below = d(1.0 - f64::EPSILON / 2.0);
    let mut flags = Flags::default();
    let r = mul::<Double>(just_below, d(f64::MIN_POSITIVE), RNE, &mut flags);
    assert_eq!((r, flags.0), (d(f64::MIN_POSITIVE), Flags::NX | Flags::UF));
    // (1 - 2^-104) * 2^-1022: rounds to 2^-1022 at 53 bits already, so it is not tiny.
    let mut flags = Flags::default();
    let a = d(1.0 + f64::EPSILON);
    let b = d(f64::MIN_POSITIVE * (1.0 - f64::EPSILON));
    let r = mul::<Double>(a, b, RNE, &mut flags);
    assert_eq!((r, flags.0), (d(f64::MIN_POSITIVE), Flags::NX));
}

#[test]
fn every_mode_rounds_its_way() {
    // 1 + 2^-53 is a tie; 1 + 2^-53 + 2^-105 lies above it.
    let tie = d(f64::EPSILON / 2.0);
    let next = d(1.0) + 1;
    for (mode, up, negative_up) in [
        (RNE, false, false),
        (Rounding::TowardsZero, false, false),
        (Rounding::Down, false, true),
        (Rounding::Up, true, false),
        (Rounding::NearestAway, true, true),
    ] {
        let mut flags = Flags::default();
        let r = add::<Double>(d(1.0), tie, mode, &mut flags);
        assert_eq!(r, if up { next } else { d(1.0) }, "{mode:?}");
        let r = add::<Double>(d(-1.0), tie | Double::SIGN, mode, &mut flags);
        let magnitude = if negative_up { next } else { d(1.0) };
        assert_eq!(r, magnitude | Double::SIGN, "{mode:?}");
        assert_eq!(flags.0, Flags::NX);
        // Overflow goes to infinity or to the largest number.
        let mut flags = Flags::default();
        let r = mul::<Double>(d(f64::MAX), d(2.0), mode, &mut flags);
        let infinite = !matches!(mode, Rounding::TowardsZero | Rounding::Down);
        assert_eq!(r, if infinite { d(f64::INFINITY) } else { d(f64::MAX) }, "{mode:?}");
        assert_eq!(flags.0, Flags::OF | Flags::NX);
    }
}

#[test]
fn integers_saturate_and_round() {
    let cases: &[(f64, Integer, Rounding, u64, u8)] = &[
        (2.5, Integer::I32, RNE, 2, Flags::NX),
        (2.5, Integer::I32, Rounding::NearestAway, 3, Flags::NX),
        (-2.5, Integer::I32, Rounding::Down, -3i64 as u64, Flags::NX),
        (-0.5, Integer::U32, Rounding::Up, 0, Flags::NX),
        (-0.5, Integer::U64, Rounding::Down, 0, Flags::NV),
        (4294967295.0, Integer::U32, RNE, u64::MAX, 0),
        (4294967296.0, Integer::U32, RNE, u64::MAX, Flags::NV),
        (f64::NAN, Integer::I64, RNE, i64::MAX as u64, Flags::NV),
        (f64::NEG_INFINITY, Integer::I64, RNE, i64::MIN as u64, Flags::NV),
        (18446744073709549568.0, Integer::U64, RNE, 18446744073709549568, 0),
        (18446744073709551616.0, Integer::U64, RNE, u64::MAX, Flags::NV),
        (-9223372036854775808.0, Integer::I64, RNE, i64::MIN as u64, 0),
        (1e300, Integer::I64, RNE, i64::MAX as u64, Flags::NV),
        (5e-324, Integer::I64, Rounding::Up, 1, Flags::NX),
    ];
    for &(value, to, mode, expected, raised) in cases {
        let mut flags = Flags::default();
        let r = to_integer::<Double>(d(value), to, mode, &mut flags);
        assert_eq!((r, flags.0), (expected, raised), "{value} {to:?} {mode:?}");
    }
}

#[test]
fn nans_are_canonical_and_only_signaling_ones_are_invalid() {
    let signaling = Double::INFINITY | 1;
    let quiet = Double::NAN | 5 | Double::SIGN;
    for (a, raised) in [(quiet, 0), (signaling, Flags::NV)] {
        let mut flags = Flags::default();
        assert_eq!(add::<Double>(a, d(1.0), RNE, &mut flags), Double::NAN);
        assert_eq!(minimum::<Double>(a, d(1.0), &mut flags), d(1.0));
        assert!(!equal::<Double>(a, a, &mut flags));
        assert_eq!(flags.0, raised);
        assert!(!less::<Double>(a, a, &mut flags));
        assert_eq!(flags.0, Flags::NV);
    }
    let mut flags = Flags::default();
    let r = mul_add::<Double>(Double::INFINITY, 0, quiet, RNE, &mut flags);
    assert_eq!((r, flags.0), (Double::NAN, Flags::NV));
}
