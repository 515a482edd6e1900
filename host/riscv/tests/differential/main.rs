//! The hart against QEMU's user mode: random instructions, the whole state compared.
//!
//! Needs `qemu-riscv64-static` (Debian: `qemu-user-static`) or `qemu-riscv64`. How many instructions:
//! `RISCV_INSTRUCTIONS`, one million without it. `RISCV_SEED` starts elsewhere.
//!
//! What the specification leaves to implementations, and how it is kept out or masked:
//!
//! | what | how |
//! |---|---|
//! | `sc` after a store of the same hart to the reserved address may fail or not | `lr` and `sc` are generated in pairs, or `sc` alone after a pair, which must fail |
//! | counters and `time` | not generated |
//! | misaligned atomics | not generated: both trap, user mode of QEMU as a signal |
//! | reserved rounding modes in `frm` | not generated: both are illegal; a unit test has ours |
//!
//! Nothing is masked in what is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test program")]

mod elf;
mod generate;
mod program;
#[path = "../support/mod.rs"]
mod support;

use program::Program;
use std::path::PathBuf;
use std::process::Command;
use support::Recorder;

use riscv::cpu::hart::{Hart, status};
use riscv::cpu::trap::Mode;
use riscv::{BASE, Config, Machine, Stop};

const MEMORY: usize = 16 << 20;

fn qemu() -> PathBuf {
    ["qemu-riscv64-static", "qemu-riscv64"]
        .iter()
        .map(|name| PathBuf::from("/usr/bin").join(name))
        .find(|path| path.exists())
        .expect("QEMU's user mode is installed (Debian: qemu-user-static)")
}

/// What QEMU writes.
fn run_qemu(program: &Program, name: &str) -> Vec<u8> {
    let path = std::env::temp_dir().join(format!("riscv-{}-{name}", std::process::id()));
    elf::write(&path, program).expect("the program can be written");
    let output = Command::new(qemu()).arg(&path).output().expect("QEMU starts");
    std::fs::remove_file(&path).expect("the program can be removed");
    assert!(output.status.success(), "QEMU: {:?} {:?}", output.status, output.stderr);
    output.stdout
}

/// What we would write: the program ends with a call, and its dump lies in memory.
fn run_ours(program: &Program) -> Vec<u8> {
    let config = Config { memory: MEMORY, size: (80, 25), ports: &[], disk: None, shares: &[] };
    let mut machine = Machine::new(&config);
    machine.load(program.base, &program.bytes).expect("fits");
    // The handler of traps switches off.
    let mut handler = support::asm::Code::at(BASE);
    handler.li(17, 0x5352_5354).words(&[support::asm::addi(16, 0, 0)]);
    handler.words(&[support::asm::addi(10, 0, 0), support::asm::ECALL]);
    machine.load(BASE, &handler.bytes).expect("fits");
    let hart = &mut machine.cpu.hart;
    *hart = Hart { stvec: BASE, sstatus: status::FS, mode: Mode::User, ..Hart::new(program.entry) };
    machine.cpu.flush();
    let mut stop = Stop::Budget;
    // Odd slices, so that they end anywhere.
    while stop == Stop::Budget {
        stop = machine.run(99_991, &mut Recorder::default());
    }
    let hart = &machine.cpu.hart;
    assert_eq!(stop, Stop::Shutdown);
    assert_eq!(
        (hart.scause, hart.sepc),
        (8, program.end),
        "a trap in the program: stval {:#x}",
        hart.stval
    );
    machine.cpu.memory.get(program.dump, program.dump_size).expect("inside").to_vec()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn random_instructions_leave_the_state_that_qemu_leaves() {
    let wanted = number("RISCV_INSTRUCTIONS", 1_000_000);
    let first = number("RISCV_SEED", 1);
    let (mut instructions, mut programs, mut differences) = (0, 0, Vec::new());
    while instructions < wanted {
        let seed = first + programs;
        let program = generate::program(seed);
        let theirs = run_qemu(&program, &seed.to_string());
        let ours = run_ours(&program);
        differences
            .extend(program.differences(&ours, &theirs).map(|d| format!("seed {seed}: {d}")));
        instructions += program.instructions;
        programs += 1;
        assert!(differences.len() < 100, "{}", differences.join("\n"));
    }
    println!(
        "{instructions} instructions in {programs} programs, {} differences",
        differences.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
