//! Virtual time, interrupts, idleness, budgets.

use super::support::asm::*;
use super::*;
use riscv::INSTRUCTIONS_PER_TICK;
use riscv::cpu::hart::{interrupt, status};
use riscv::cpu::trap::Mode;

const INTERRUPT: u64 = 1 << 63;
const SPIN: u32 = 0x6f;

fn spinning() -> Machine {
    prepared(|code| {
        code.word(SPIN);
    })
}

#[test]
fn a_run_ends_within_its_budget_and_counts_exactly() {
    let mut machine = spinning();
    let mut expected = 0;
    for budget in [0, 1, 2, 3, 999, 100_000] {
        assert_eq!(machine.run(budget, &mut Recorder::default()), Stop::Budget);
        expected += budget;
        assert_eq!(machine.cpu.hart.steps, expected);
        assert_eq!(machine.time(), expected / INSTRUCTIONS_PER_TICK);
    }
}

#[test]
fn the_timer_interrupts_at_its_tick() {
    for mode in [Mode::Supervisor, Mode::User] {
        // Masked in supervisor mode only where SIE says so; user mode is always interrupted.
        let mut machine = spinning();
        let hart = &mut machine.cpu.hart;
        hart.mode = mode;
        (hart.stimecmp, hart.sie) = (50, interrupt::TIMER);
        hart.sstatus = if mode == Mode::Supervisor { status::SIE } else { 0 };
        machine.cpu.flush();
        let before = 50 * INSTRUCTIONS_PER_TICK;
        machine.run(before, &mut Recorder::default());
        assert_eq!(machine.cpu.hart.pc, PROGRAM);
        machine.run(1, &mut Recorder::default());
        let hart = &machine.cpu.hart;
        assert_eq!((hart.scause, hart.sepc), (INTERRUPT | 5, PROGRAM), "{mode:?}");
        assert_eq!(hart.mode, Mode::Supervisor);
    }
}

#[test]
fn interrupts_come_by_urgency_and_by_vector() {
    let mut machine = spinning();
    let hart = &mut machine.cpu.hart;
    (hart.sie, hart.sip) = (interrupt::ALL, interrupt::SOFTWARE);
    (hart.stimecmp, hart.sstatus, hart.stvec) = (0, status::SIE, DATA | 1);
    // Each handler spins where the vector has it; exceptions would go to the base.
    machine.load(DATA + 4, &SPIN.to_le_bytes()).unwrap();
    machine.load(DATA + 20, &SPIN.to_le_bytes()).unwrap();
    machine.run(1, &mut Recorder::default());
    let hart = &mut machine.cpu.hart;
    assert_eq!((hart.scause, hart.sepc), (INTERRUPT | 1, PROGRAM), "software before timer");
    assert_eq!(hart.pc, DATA + 4);
    (hart.sip, hart.sstatus, hart.pc) = (0, status::SIE, PROGRAM);
    machine.run(1, &mut Recorder::default());
    assert_eq!((machine.cpu.hart.scause, machine.cpu.hart.pc), (INTERRUPT | 5, DATA + 20));
    let mut machine = spinning();
    machine.cpu.hart.sip = interrupt::SOFTWARE;
    machine.cpu.hart.sie = interrupt::SOFTWARE;
    machine.run(10, &mut Recorder::default());
    assert_eq!(machine.cpu.hart.scause, 0, "masked");
}

#[test]
fn an_idle_guest_waits_for_its_timer_and_uses_nothing() {
    let mut machine = prepared(|code| {
        code.li(5, 1_000_000).words(&[csrrw(0, STIMECMP, 5), addi(6, 0, 0x20)]);
        code.words(&[csrrs(0, SIE, 6), WFI, csrrs(7, 0xc01, 0)]);
    });
    let mut host = Recorder::default();
    let idle = Stop::Idle { until: Some(1_000_000) };
    assert_eq!(machine.run(100_000, &mut host), idle);
    let steps = machine.cpu.hart.steps;
    assert_eq!(machine.run(100_000, &mut host), idle, "again, at once");
    assert_eq!(machine.cpu.hart.steps, steps);
    machine.advance_to(999_999);
    assert_eq!(machine.run(100_000, &mut host), idle);
    machine.advance_to(5);
    assert_eq!(machine.time(), 999_999, "time never goes back");
    machine.advance_to(1_000_000);
    assert_eq!(machine.run(100_000, &mut host), Stop::Shutdown);
    assert_eq!(machine.cpu.hart.x[7], 1_000_000);
}

#[test]
fn counters_count_what_retired() {
    let mut machine = prepared(|code| {
        code.words(&[csrrs(5, 0xc02, 0), addi(0, 0, 0), csrrs(6, 0xc02, 0)]);
        code.words(&[csrrs(7, 0xc00, 0), csrrs(28, 0xc00, 0)]);
    });
    finish(&mut machine);
    let x = &machine.cpu.hart.x;
    assert_eq!((x[6] - x[5], x[28] - x[7]), (2, 1));
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut machine = prepared(|code| {
        code.li(5, DATA);
        code.words(&[addi(6, 6, 3), sd(6, 5, 0), ld(7, 5, 0), add(28, 28, 7), jal(0, -16)]);
    });
    machine.run(1_003, &mut Recorder::default());
    let mut copy = machine.clone();
    for _ in 0..10 {
        machine.run(997, &mut Recorder::default());
        copy.run(997, &mut Recorder::default());
    }
    assert_eq!(machine.cpu.hart.x, copy.cpu.hart.x);
    assert_eq!(machine.cpu.hart.pc, copy.cpu.hart.pc);
    assert!(machine.cpu.hart.x[28] != 0);
}
