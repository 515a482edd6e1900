//! Which instruction traps with what cause and value, by mode.

use super::support::asm::*;
use super::*;
use riscv::cpu::hart::status;
use riscv::cpu::trap::Mode;

const NO_TRAP: u64 = u64::MAX;
const ILLEGAL: u64 = 2;

/// Runs one instruction, with `x5` an address in memory that is not aligned, `x6` one outside of memory,
/// and the floating-point unit on; what the handler finds.
fn trap_of(word: u32, mode: Mode, fs: u64) -> (u64, u64) {
    let mut machine = prepared(|code| {
        code.word(word);
    });
    let hart = &mut machine.cpu.hart;
    (hart.mode, hart.sstatus, hart.scause) = (mode, fs, NO_TRAP);
    (hart.x[5], hart.x[6]) = (DATA + 2, 0x1234_5678);
    machine.cpu.flush();
    finish(&mut machine);
    let hart = &machine.cpu.hart;
    (hart.scause, hart.stval)
}

#[test]
fn every_trap_has_its_cause_and_value() {
    use Mode::{Supervisor as S, User as U};
    let on = status::FS;
    let fadd_dynamic = r(0x53, 7, 1, 1, 1, 1);
    let fadd_reserved = r(0x53, 5, 1, 1, 1, 1);
    let lr_w = r(0x2f, 2, 2 << 2, 7, 5, 0);
    let lr_d = r(0x2f, 3, 2 << 2, 7, 5, 0);
    let amo_d = r(0x2f, 3, 0, 7, 5, 0);
    let illegal = |word: u32| (ILLEGAL, u64::from(word));
    let none = (NO_TRAP, 0);
    /// Name, instruction, mode, floating-point state; cause and value.
    type Case = (&'static str, u32, Mode, u64, (u64, u64));
    let cases: &[Case] = &[
        ("ebreak", EBREAK, S, on, (3, PROGRAM)),
        ("c.ebreak", 0x9002_9002, S, on, (3, PROGRAM)),
        ("zeros", 0, S, on, (ILLEGAL, 0)),
        ("ones", u32::MAX, S, on, illegal(u32::MAX)),
        ("fence.tso", FENCE_TSO, S, on, none),
        ("fence.i", FENCE_I, S, on, none),
        ("a reserved fence", 0x0ff0_028f, S, on, none),
        ("lw outside", lw(7, 6, 0), S, on, (5, 0x1234_5678)),
        ("sd outside", sd(7, 6, 8), S, on, (7, 0x1234_5680)),
        ("jump outside", jalr(0, 6, 0), S, on, (1, 0x1234_5678)),
        ("lw misaligned", lw(7, 5, -1), S, on, none),
        ("lr.w misaligned", lr_w, S, on, (4, DATA + 2)),
        ("lr.d misaligned", lr_d, S, on, (4, DATA + 2)),
        ("amoadd.d misaligned", amo_d, S, on, (6, DATA + 2)),
        ("amoadd.d outside", r(0x2f, 3, 0, 7, 6, 0), S, on, (7, 0x1234_5678)),
        ("fadd.d, unit off", fadd_dynamic, S, 0, illegal(fadd_dynamic)),
        ("fld, unit off", fld(1, 5, 0), S, 0, illegal(fld(1, 5, 0))),
        ("frflags, unit off", csrrs(7, 1, 0), S, 0, illegal(csrrs(7, 1, 0))),
        ("fadd.d", fadd_dynamic, S, on, none),
        ("fadd.d, reserved mode", fadd_reserved, S, on, illegal(fadd_reserved)),
        ("sret in user mode", SRET, U, on, illegal(SRET)),
        ("wfi in user mode", WFI, U, on, illegal(WFI)),
        ("sfence.vma in user mode", SFENCE_VMA, U, on, illegal(SFENCE_VMA)),
        ("sstatus in user mode", csrrs(7, SSTATUS, 0), U, on, illegal(csrrs(7, SSTATUS, 0))),
        ("time", csrrs(7, 0xc01, 0), S, on, none),
        ("writing time", csrrw(0, 0xc01, 0), S, on, illegal(csrrw(0, 0xc01, 0))),
        ("a CSR of machine mode", csrrs(7, 0x300, 0), S, on, illegal(csrrs(7, 0x300, 0))),
        ("a CSR that does not exist", csrrs(7, 0x5c0, 0), S, on, illegal(csrrs(7, 0x5c0, 0))),
        ("mret", 0x3020_0073, S, on, illegal(0x3020_0073)),
        ("ecall in user mode", ECALL, U, on, (8, 0)),
    ];
    for &(name, word, mode, fs, expected) in cases {
        let mut found = trap_of(word, mode, fs);
        if found.0 == NO_TRAP {
            found.1 = 0;
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_reserved_dynamic_rounding_mode_is_illegal() {
    for frm in 0..8 {
        let word = r(0x53, 7, 1, 1, 1, 1);
        let mut machine = prepared(|code| {
            code.words(&[addi(5, 0, frm), csrrw(0, 2, 5), word]);
        });
        (machine.cpu.hart.sstatus, machine.cpu.hart.scause) = (status::FS, NO_TRAP);
        finish(&mut machine);
        let expected = if frm < 5 { NO_TRAP } else { ILLEGAL };
        assert_eq!(machine.cpu.hart.scause, expected, "frm {frm}");
    }
}

#[test]
fn user_mode_reads_the_counters_that_it_may() {
    for (number, bit) in [(0xc00, 1), (0xc01, 2), (0xc02, 4)] {
        for allowed in [0, 7, bit, 7 - bit] {
            let word = csrrs(7, number, 0);
            let mut machine = prepared(|code| {
                code.word(word);
            });
            assert_eq!(machine.cpu.hart.scounteren, 7, "as firmware leaves it");
            (machine.cpu.hart.scounteren, machine.cpu.hart.mode) = (allowed, Mode::User);
            machine.cpu.flush();
            finish(&mut machine);
            // Without a trap the program goes on to its end, which is a call.
            let expected = if allowed & bit == 0 { ILLEGAL } else { 8 };
            assert_eq!(machine.cpu.hart.scause, expected, "{number:#x} {allowed}");
        }
    }
}

#[test]
fn exceptions_go_to_the_base_of_a_vectored_handler() {
    for word in [EBREAK, 0, lw(7, 6, 0)] {
        let mut machine = prepared(|code| {
            code.word(word);
        });
        machine.cpu.hart.stvec = HANDLER | 1;
        assert_eq!(machine.run(1, &mut Recorder::default()), Stop::Budget);
        assert_eq!(machine.cpu.hart.pc, HANDLER, "{word:#x}");
    }
}

#[test]
fn a_trap_keeps_the_state_that_sret_restores() {
    let on = status::SIE | status::SUM | status::FS;
    let mut machine = prepared(|code| {
        code.word(EBREAK);
    });
    machine.cpu.hart.sstatus = on;
    assert_eq!(machine.run(1, &mut Recorder::default()), Stop::Budget);
    let hart = &machine.cpu.hart;
    assert_eq!(hart.sstatus, on & !status::SIE | status::SPIE | status::SPP);
    assert_eq!((hart.pc, hart.sepc, hart.mode), (HANDLER, PROGRAM, Mode::Supervisor));
    machine.load(HANDLER, &SRET.to_le_bytes()).unwrap();
    machine.run(1, &mut Recorder::default());
    let hart = &machine.cpu.hart;
    assert_eq!(hart.sstatus, on | status::SPIE);
    assert_eq!((hart.pc, hart.mode), (PROGRAM, Mode::Supervisor));
    // From user mode and back.
    machine.cpu.hart.mode = Mode::User;
    machine.cpu.flush();
    machine.run(1, &mut Recorder::default());
    assert_eq!(machine.cpu.hart.sstatus & status::SPP, 0);
    machine.run(1, &mut Recorder::default());
    assert!(machine.in_user_mode());
}

#[test]
fn stores_and_faults_leave_the_floating_point_unit_clean() {
    let clean = 2 << 13;
    // x5 is memory, x6 is not. A load that faults has changed no register.
    for (word, expected) in [
        (fsd(1, 5, 0), clean),
        (s(0x27, 2, 5, 1, 0), clean),
        (fld(1, 6, 0), clean),
        (i(0x07, 2, 1, 6, 0), clean),
        (fld(1, 5, 0), status::FS),
        (i(0x07, 2, 1, 5, 0), status::FS),
        (r(0x53, 7, 1, 1, 1, 1), status::FS),
    ] {
        let mut machine = prepared(|code| {
            code.word(word);
        });
        let hart = &mut machine.cpu.hart;
        (hart.sstatus, hart.x[5], hart.x[6]) = (clean, DATA, 0x1234_5678);
        finish(&mut machine);
        assert_eq!(machine.cpu.hart.sstatus & status::FS, expected, "{word:#x}");
    }
}

#[test]
fn csrs_hold_what_exists_and_nothing_else() {
    let cases = [
        (SSTATUS, u64::MAX, 1 << 63 | 2 << 32 | 0xc_6122),
        (SIE, u64::MAX, 0x222),
        (STVEC, HANDLER | 1, HANDLER | 1),
        (SCOUNTEREN, u64::MAX, 7),
        (SEPC, u64::MAX, u64::MAX - 1),
        (SIP, u64::MAX, 2),
        (STIMECMP, u64::MAX, u64::MAX),
        // Sv48 is not there: nothing changes.
        (SATP, 9 << 60 | 5, 0),
        (0x140, u64::MAX, u64::MAX),
        (0x10a, u64::MAX, 1),
    ];
    for (csr, written, read) in cases {
        let mut machine = prepared(|code| {
            code.li(5, written).words(&[csrrw(0, csr, 5), csrrs(6, csr, 0)]);
        });
        machine.run(7, &mut Recorder::default());
        assert_eq!(machine.cpu.hart.x[6], read, "CSR {csr:#x}");
    }
}

#[test]
fn a_handler_that_cannot_be_fetched_ends_the_machine() {
    let mut machine = prepared(|code| {
        code.word(EBREAK);
    });
    machine.cpu.hart.stvec = 0x40;
    let stop = Stop::Stuck { handler: 0x40 };
    assert_eq!(machine.run(1_000, &mut Recorder::default()), stop);
    assert_eq!(machine.run(1_000, &mut Recorder::default()), stop, "for good");
}
