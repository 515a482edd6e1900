//! Guests that do anything: nothing here may panic, run over its budget, or touch what is not the guest's.
//!
//! `RISCV_ROUNDS` makes every test longer; `RISCV_SEED` starts elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test program")]

mod anything;
mod devices;
mod expensive;
mod rings;
mod strict;
#[path = "../support/mod.rs"]
mod support;
mod virtio;

use riscv::cpu::hart::status;
use riscv::cpu::trap::Mode;
use riscv::{BASE, Config, Machine};
use support::Recorder;
use support::rng::Rng;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn machine() -> Machine {
    let config = Config {
        memory: 4 << 20,
        size: (80, 25),
        ports: &["a", "b"],
        disk: Some(1 << 20),
        shares: &["workspace"],
    };
    Machine::new(&config)
}

fn host() -> Recorder {
    Recorder { disk: (0..1 << 20).map(|i| i as u8).collect(), ..Recorder::default() }
}

/// Random memory, run from random places in every mode: wild jumps, page tables of noise, stores to
/// devices by chance.
#[test]
fn noise_runs_within_its_budget() {
    let mut host = host();
    for round in 0..number("RISCV_ROUNDS", 200) {
        let mut rng = Rng(number("RISCV_SEED", 7) + round);
        let mut machine = machine();
        let mut noise: Vec<u8> = (0..1 << 18).flat_map(|_| rng.next().to_le_bytes()).collect();
        if rng.below(2) == 0 {
            // Mostly valid instructions, for longer ways.
            for word in noise.chunks_exact_mut(4) {
                word[0] = word[0] & 0x70 | 3;
            }
        }
        machine.load(BASE, &noise).unwrap();
        machine.start(BASE + (rng.next() & 0x1f_fffe), rng.next());
        let hart = &mut machine.cpu.hart;
        for x in 1..32 {
            // Some registers point at memory, some at devices, some nowhere.
            hart.x[x] = match rng.below(4) {
                0 => BASE + rng.below(4 << 20),
                1 => 0x1000_1000 + rng.below(0x3000),
                2 => 0x0c00_0000 + rng.below(0x20_2000),
                _ => rng.next(),
            };
        }
        hart.stvec = BASE + rng.below(4 << 20);
        hart.sstatus = rng.next() & status::WRITABLE;
        hart.mode = if rng.below(2) == 0 { Mode::User } else { Mode::Supervisor };
        hart.sie = rng.next() & 0x222;
        hart.stimecmp = rng.below(1000);
        if rng.below(2) == 0 {
            hart.satp = (8 << 60) | ((BASE >> 12) + rng.below(1024));
        }
        machine.cpu.flush();
        for _ in 0..20 {
            let before = machine.cpu.hart.steps;
            machine.run(5_000, &mut host);
            let ran = machine.cpu.hart.steps - before;
            // Each device may do one last round.
            assert!(ran <= 5_000 + anything::DEVICES * anything::ROUND, "{ran}");
            machine.console_input(rng.below(4) as usize, &[1; 100]);
            machine.console_resize(rng.next() as u16, rng.next() as u16);
            machine.advance_to(rng.next() >> rng.below(64));
        }
    }
}
