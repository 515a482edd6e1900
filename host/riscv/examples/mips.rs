//! How fast the interpreter is: millions of instructions per second on fixed loops.
//!
//! `cargo run --release --example mips [INSTRUCTIONS [LOOP]]`. The loops are written as words, so that
//! nothing is needed to run it. Time is the processor's, where the system tells it, so that others on the
//! machine count less.
#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

use riscv::{BASE, Config, Host, Machine, ReadFailed, Stop};
use std::time::Instant;

struct Nobody;

impl Host for Nobody {
    fn console_output(&mut self, _: usize, _: &[u8]) {}
    fn disk_read(&mut self, _: u64, _: &mut [u8]) -> Result<(), ReadFailed> {
        Err(ReadFailed)
    }
    fn random(&mut self, _: &mut [u8]) {}
}

/// Instructions per measurement, unless told otherwise.
const INSTRUCTIONS: u64 = 300_000_000;

/// Seconds of processor time so far, or of a clock.
fn seconds(start: Instant) -> f64 {
    let status = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = status.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |n| n / 1e9)
}

fn r(f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x33
}

fn i(opcode: u32, f3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    (imm as u32) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode
}

fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x13, 0, rd, rs1, imm)
}

fn load(rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x03, 3, rd, rs1, imm)
}

fn store(rs2: u32, rs1: u32, imm: u32) -> u32 {
    (imm >> 5) << 25 | rs2 << 20 | rs1 << 15 | 3 << 12 | (imm & 31) << 7 | 0x23
}

/// `bne x0, x31` or `jal`, back over that many instructions.
fn back(words: u32) -> u32 {
    let offset = (words * 4).wrapping_neg();
    (offset >> 20 & 1) << 31
        | (offset >> 1 & 0x3ff) << 21
        | (offset >> 11 & 1) << 20
        | offset & 0xf_f000
        | 0x6f
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let instructions = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(INSTRUCTIONS);
    let only = arguments.next();
    let integer = vec![
        addi(5, 5, 1),
        r(0, 0, 6, 6, 5),
        r(4, 0, 7, 6, 5),
        i(0x13, 1, 28, 7, 3),
        r(6, 0, 29, 28, 6),
        r(0, 0x20, 30, 29, 5),
        // A branch that is never taken.
        30 << 15 | 30 << 20 | 1 << 12 | 4 << 8 | 0x63,
        r(7, 0, 31, 30, 6),
        back(8),
    ];
    // x10 walks through a MiB of memory.
    let mut memory = vec![load(5, 10, 0), load(6, 10, 8), r(0, 0, 7, 5, 6), store(7, 10, 16)];
    memory.extend([load(28, 10, 24), addi(10, 10, 32), store(28, 10, 0)]);
    memory.extend([r(7, 0, 10, 10, 11), r(6, 0, 10, 10, 12), back(9)]);
    let branches = vec![
        addi(5, 5, 1),
        i(0x13, 7, 6, 5, 3),
        // beq x6, x0, +8
        6 << 15 | 4 << 8 | 0x63,
        addi(7, 7, 1),
        // jal x1, +8 and back by jalr
        0x0080_00ef,
        back(5),
        i(0x67, 0, 0, 1, 0),
    ];
    // f10 = (f10 + 1.1) * 0.9 / 1.7; f14 = f10 + 1.1; f15 = f10 * 0.9 + 1.7: stays near a fixed point.
    let float = vec![0x02b5_7553, 0x12c5_7553, 0x1ad5_7553, 0x02b5_7753, 0x6ac5_77c3, back(5)];
    for (name, code) in
        [("integer", integer), ("memory", memory), ("branches", branches), ("float", float)]
    {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let config =
            Config { memory: 16 << 20, size: (80, 25), ports: &[], disk: None, shares: &[] };
        let mut machine = Machine::new(&config);
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        let loaded = machine.load(BASE, &bytes);
        machine.start(BASE, 0);
        let hart = &mut machine.cpu.hart;
        // Addresses stay in the MiB at BASE + 1 MiB.
        (hart.x[10], hart.x[11], hart.x[12]) =
            (BASE + (1 << 20), BASE | 0x1f_ffe0, BASE + (1 << 20));
        hart.sstatus = 3 << 13;
        hart.f[10..14].copy_from_slice(&[1.5f64, 1.1, 0.9, 1.7].map(f64::to_bits));
        let start = Instant::now();
        let before = seconds(start);
        let stop = machine.run(instructions, &mut Nobody);
        let mips = instructions as f64 / (seconds(start) - before) / 1e6;
        let ok = loaded.is_some() && stop == Stop::Budget && machine.cpu.hart.scause == 0;
        println!("{name:>10}: {mips:7.1} MIPS{}", if ok { "" } else { " (broken)" });
    }
}
