//! Supervisor mode as a kernel meets it: traps, interrupts, address translation, firmware, time, code that
//! changes. Programs are written with the small assembler of `support`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test program")]

mod code;
mod firmware;
mod paging;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod traps;

use riscv::{BASE, Config, Machine, Stop};
use support::Recorder;
use support::asm::{Code, ECALL, addi};

/// Where programs and their handlers start.
const PROGRAM: u64 = BASE;
const HANDLER: u64 = BASE + 0x1000;
/// Memory for data.
const DATA: u64 = BASE + 0x8000;

/// CSR numbers.
const SSTATUS: u32 = 0x100;
const SIE: u32 = 0x104;
const STVEC: u32 = 0x105;
const SCOUNTEREN: u32 = 0x106;
const SEPC: u32 = 0x141;
const SIP: u32 = 0x144;
const STIMECMP: u32 = 0x14d;
const SATP: u32 = 0x180;

fn machine() -> Machine {
    Machine::new(&Config { memory: 8 << 20, size: (80, 25), ports: &[], disk: None, shares: &[] })
}

/// Appends the call that switches the machine off.
fn switch_off(code: &mut Code) {
    code.li(17, 0x5352_5354).words(&[addi(16, 0, 0), addi(10, 0, 0), ECALL]);
}

/// A machine whose trap handler switches it off, about to start what `program` writes.
fn prepared(program: impl FnOnce(&mut Code)) -> Machine {
    let mut machine = machine();
    let mut handler = Code::at(HANDLER);
    switch_off(&mut handler);
    machine.load(HANDLER, &handler.bytes).unwrap();
    let mut code = Code::at(PROGRAM);
    program(&mut code);
    switch_off(&mut code);
    assert!(code.here() <= HANDLER, "the program reaches into the handler");
    machine.load(PROGRAM, &code.bytes).unwrap();
    machine.start(PROGRAM, 0);
    machine.cpu.hart.stvec = HANDLER;
    machine
}

/// Runs to the end, which must be the switch.
fn finish(machine: &mut Machine) -> Recorder {
    let mut host = Recorder::default();
    assert_eq!(machine.run(100_000, &mut host), Stop::Shutdown);
    host
}
