//! Calls of the firmware: OpenSBI on one side, ours on the other.

use super::program::Writer;
use super::support::asm::*;

const BASE: u64 = 0x10;
const TIME: u64 = 0x5449_4d45;
const IPI: u64 = 0x73_5049;
const RFENCE: u64 = 0x5246_4e43;
const HSM: u64 = 0x48_534d;

/// Extension, function and three arguments; what is answered is the same for every firmware.
const CALLS: [(u64, u64, [u64; 3]); 21] = [
    (BASE, 3, [BASE, 0, 0]),
    (BASE, 3, [TIME, 0, 0]),
    (BASE, 3, [IPI, 0, 0]),
    (BASE, 3, [RFENCE, 0, 0]),
    (BASE, 3, [HSM, 0, 0]),
    (BASE, 3, [0x5352_5354, 0, 0]),
    (BASE, 3, [0x0bad_0bad, 0, 0]),
    (BASE, 7, [0, 0, 0]),
    (TIME, 0, [u64::MAX, 0, 0]),
    (TIME, 0, [0, 0, 0]),
    (TIME, 1, [0, 0, 0]),
    (IPI, 0, [1, 0, 0]),
    (IPI, 0, [0, u64::MAX, 0]),
    (IPI, 1, [1, 0, 0]),
    (RFENCE, 0, [1, 0, 0]),
    (RFENCE, 1, [1, 0, 0x1000]),
    (RFENCE, 1, [0, u64::MAX, 0]),
    (HSM, 0, [0, 0, 0]),
    (HSM, 2, [0, 0, 0]),
    (HSM, 2, [7, 0, 0]),
    (0x0bad_0bad, 0, [1, 2, 3]),
];

pub fn any(w: &mut Writer) -> String {
    let (extension, function, arguments) = w.rng.pick(&CALLS);
    w.li(17, extension);
    w.li(16, function);
    for (register, argument) in (10..).zip(arguments) {
        w.li(register, argument);
    }
    w.code.words(&[addi(13, 0, 0), addi(14, 0, 0), ECALL, EBREAK]);
    format!("call {extension:#x} {function} {arguments:x?}")
}
