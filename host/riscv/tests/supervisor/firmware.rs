//! What the firmware answers.

use super::support::asm::*;
use super::*;

const NOT_SUPPORTED: i64 = -2;
const INVALID_PARAMETER: i64 = -3;
const INVALID_ADDRESS: i64 = -5;

/// Calls with extension, function and three arguments; what is in `a0` and `a1` after.
fn call(extension: u64, function: u64, arguments: [u64; 3]) -> (i64, u64, Recorder) {
    let mut machine = prepared(|code| {
        code.words(&[ECALL, addi(21, 10, 0), addi(22, 11, 0)]);
    });
    machine.load(DATA, b"hello, world").unwrap();
    machine.console_input(0, b"in");
    let x = &mut machine.cpu.hart.x;
    (x[17], x[16]) = (extension, function);
    x[10..13].copy_from_slice(&arguments);
    let host = finish(&mut machine);
    (machine.cpu.hart.x[21] as i64, machine.cpu.hart.x[22], host)
}

#[test]
fn calls_answer() {
    const TIME: u64 = 0x5449_4d45;
    const DBCN: u64 = 0x4442_434e;
    const HSM: u64 = 0x48_534d;
    const IPI: u64 = 0x73_5049;
    const RFENCE: u64 = 0x5246_4e43;
    let end = BASE + (8 << 20);
    /// Name, extension, function, arguments; what is in `a0` and `a1`, and what was written.
    type Case = (&'static str, u64, u64, [u64; 3], i64, u64, &'static str);
    let cases: &[Case] = &[
        ("version", 0x10, 0, [0; 3], 0, 2 << 24, ""),
        ("probe TIME", 0x10, 3, [TIME, 0, 0], 0, 1, ""),
        ("probe legacy", 0x10, 3, [1, 0, 0], 0, 1, ""),
        ("probe nothing", 0x10, 3, [0x1234, 0, 0], 0, 0, ""),
        ("nothing", 0x1234, 0, [0; 3], NOT_SUPPORTED, 0, ""),
        ("timer, no such function", TIME, 1, [0; 3], NOT_SUPPORTED, 0, ""),
        ("write", DBCN, 0, [5, DATA, 0], 0, 5, "hello"),
        ("write nothing", DBCN, 0, [0, DATA, 0], 0, 0, ""),
        ("write from nowhere", DBCN, 0, [5, 0x1000, 0], INVALID_ADDRESS, 0, ""),
        ("write over the end", DBCN, 0, [5, end - 4, 0], INVALID_ADDRESS, 0, ""),
        ("write from far above", DBCN, 0, [5, DATA, 1], INVALID_ADDRESS, 0, ""),
        ("write at the very end", DBCN, 0, [u64::MAX, u64::MAX, 0], INVALID_ADDRESS, 0, ""),
        ("write a byte", DBCN, 2, [0x141, 0, 0], 0, 0, "A"),
        ("read", DBCN, 1, [10, DATA, 0], 0, 2, ""),
        ("read to nowhere", DBCN, 1, [10, 0, 0], INVALID_ADDRESS, 0, ""),
        ("our state", HSM, 2, [0; 3], 0, 0, ""),
        ("another hart's state", HSM, 2, [1, 0, 0], INVALID_PARAMETER, 0, ""),
        ("start us", HSM, 0, [0; 3], -6, 0, ""),
        ("stop us", HSM, 1, [0; 3], -4, 0, ""),
        ("interrupt us", IPI, 0, [1, 0, 0], 0, 0, ""),
        ("interrupt all", IPI, 0, [0, u64::MAX, 0], 0, 0, ""),
        ("interrupt nobody", IPI, 0, [2, 0, 0], INVALID_PARAMETER, 0, ""),
        ("fence all", RFENCE, 1, [0, u64::MAX, 0], 0, 0, ""),
        ("reset, unknown kind", 0x5352_5354, 0, [7, 0, 0], INVALID_PARAMETER, 0, ""),
        ("legacy putchar", 1, 0, [0x42, 9, 0], 0, 9, "B"),
        ("legacy getchar", 2, 0, [0, 9, 0], i64::from(b'i'), 9, ""),
    ];
    for &(name, extension, function, arguments, error, value, output) in cases {
        let (a0, a1, host) = call(extension, function, arguments);
        assert_eq!((a0, a1), (error, value), "{name}");
        assert_eq!(host.text(0), output, "{name}");
    }
}

#[test]
fn the_guest_can_end_the_machine() {
    for (extension, kind, stop) in [
        (0x5352_5354, 0, Stop::Shutdown),
        (0x5352_5354, 1, Stop::Reboot),
        (0x5352_5354, 2, Stop::Reboot),
        (8, 0, Stop::Shutdown),
    ] {
        let mut machine = prepared(|code| {
            code.word(ECALL);
        });
        (machine.cpu.hart.x[17], machine.cpu.hart.x[10]) = (extension, kind);
        assert_eq!(machine.run(10, &mut Recorder::default()), stop);
        assert_eq!(machine.run(10, &mut Recorder::default()), stop, "for good");
    }
}
