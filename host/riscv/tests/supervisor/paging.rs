//! Sv39: every reason to refuse, every way to succeed, and what `sfence.vma` is for.

use super::support::asm::*;
use super::*;
use riscv::cpu::hart::{Hart, status};
use riscv::cpu::tlb::Access;
use riscv::cpu::trap::Mode;
use riscv::cpu::walk::{Denied, Found, translate};

/// Tables at fixed places: root, middle, leaf level.
const ROOT: u64 = BASE + 0x10_0000;
const MIDDLE: u64 = ROOT + 0x1000;
const LEAF: u64 = ROOT + 0x2000;

const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const U: u64 = 16;
const A: u64 = 64;
const D: u64 = 128;

fn entry(address: u64, bits: u64) -> u64 {
    address >> 12 << 10 | bits
}

/// Maps 0x0000 (and the two MiB and the GiB above it) by the given entries of each level.
fn with_tables(machine: &mut Machine, root: u64, middle: u64, leaf: u64) {
    for (table, value) in [(ROOT, root), (MIDDLE, middle), (LEAF, leaf)] {
        machine.load(table, &value.to_le_bytes()).unwrap();
    }
    machine.cpu.hart.satp = 8 << 60 | ROOT >> 12;
}

#[test]
fn walks_find_or_refuse() {
    use Access::{Fetch, Load, Store};
    use Mode::{Supervisor as S, User};
    let table = entry(MIDDLE, V);
    let low = entry(LEAF, V);
    let page = |bits| entry(DATA, V | bits);
    let found = |address, superpage| Ok(Found { address, superpage });
    let at = found(DATA + 0x123, false);
    let no = Err(Denied::Page);
    type Case = (&'static str, [u64; 3], u64, Mode, u64, Access, Result<Found, Denied>);
    let cases: &[Case] = &[
        ("a page", [table, low, page(R)], 0x123, S, 0, Load, at),
        ("not valid", [table, low, 0], 0x123, S, 0, Load, no),
        ("not writable", [table, low, page(R)], 0x123, S, 0, Store, no),
        ("writable", [table, low, page(R | W)], 0x123, S, 0, Store, at),
        ("writable and not readable", [table, low, page(W)], 0x123, S, 0, Load, no),
        ("not executable", [table, low, page(R | W)], 0x123, S, 0, Fetch, no),
        ("executable", [table, low, page(X)], 0x123, S, 0, Fetch, at),
        ("execute only", [table, low, page(X)], 0x123, S, 0, Load, no),
        ("execute only, MXR", [table, low, page(X)], 0x123, S, status::MXR, Load, at),
        ("user page, supervisor", [table, low, page(R | U)], 0x123, S, 0, Load, no),
        ("user page, SUM", [table, low, page(R | U)], 0x123, S, status::SUM, Load, at),
        ("user page, SUM, fetch", [table, low, page(X | U)], 0x123, S, status::SUM, Fetch, no),
        ("user page, user", [table, low, page(R | U)], 0x123, User, 0, Load, at),
        ("supervisor page, user", [table, low, page(R)], 0x123, User, 0, Load, no),
        ("a reserved bit", [table, low, page(R) | 1 << 54], 0x123, S, 0, Load, no),
        ("Svnapot", [table, low, page(R) | 1 << 63], 0x123, S, 0, Load, no),
        ("a leaf that is a table", [table, low, entry(DATA, V)], 0x123, S, 0, Load, no),
        ("a table with D", [table, low | D, page(R)], 0x123, S, 0, Load, no),
        ("a table outside", [table, entry(0x1000, V), 0], 0x123, S, 0, Load, Err(Denied::Table)),
        ("not canonical", [table, low, page(R)], 1 << 39, S, 0, Load, no),
        (
            "two MiB",
            [table, entry(BASE, V | R), 0],
            0x12_3456,
            S,
            0,
            Load,
            found(BASE + 0x12_3456, true),
        ),
        ("two MiB, misaligned", [table, entry(DATA, V | R), 0], 0x123, S, 0, Load, no),
        ("a GiB", [entry(BASE, V | R), 0, 0], 0x12_3456, S, 0, Load, found(BASE + 0x12_3456, true)),
        ("a GiB, misaligned", [entry(ROOT, V | R), 0, 0], 0x123, S, 0, Load, no),
    ];
    for &(name, [root, middle, leaf], address, mode, sstatus, access, expected) in cases {
        let mut machine = machine();
        with_tables(&mut machine, root, middle, leaf);
        let hart = Hart { mode, sstatus, ..machine.cpu.hart.clone() };
        let result = translate(&hart, &mut machine.cpu.memory, address, access);
        assert_eq!(result, expected, "{name}");
        // Only a success marks the page.
        let marks = machine.cpu.memory.load(LEAF, 8).unwrap() & (A | D);
        let wanted = match (expected, leaf) {
            (Ok(Found { superpage: false, .. }), _) if access == Store => A | D,
            (Ok(Found { superpage: false, .. }), _) => A,
            _ => 0,
        };
        assert_eq!(marks, wanted, "{name}");
    }
}

/// Everything is mapped where it is, by one entry of a GiB, and 0x0000 by a page.
fn identity(machine: &mut Machine, leaf: u64) {
    with_tables(machine, entry(MIDDLE, V), entry(LEAF, V), leaf);
    let third = entry(BASE, V | R | W | X | A | D);
    machine.load(ROOT + 8 * (BASE >> 30), &third.to_le_bytes()).unwrap();
}

#[test]
fn faults_reach_the_handler_and_leave_registers_alone() {
    // A load that crosses into a page that is not mapped.
    let mut machine = prepared(|code| {
        code.li(5, 0xffc).word(ld(6, 5, 0));
    });
    identity(&mut machine, entry(DATA, V | R | W));
    machine.cpu.hart.x[6] = 77;
    finish(&mut machine);
    let hart = &machine.cpu.hart;
    assert_eq!((hart.scause, hart.stval, hart.x[6]), (13, 0x1000, 77));
    // The same store writes nothing.
    let mut machine = prepared(|code| {
        code.li(5, 0xffc).word(sd(5, 5, 0));
    });
    identity(&mut machine, entry(DATA, V | R | W));
    finish(&mut machine);
    assert_eq!((machine.cpu.hart.scause, machine.cpu.hart.stval), (15, 0x1000));
    assert_eq!(machine.cpu.memory.load(DATA + 0xff8, 8), Some(0));
    // An instruction whose second half is not mapped.
    let mut machine = prepared(|code| {
        code.li(5, 0xffe).word(jalr(0, 5, 0));
    });
    identity(&mut machine, entry(DATA, V | R | X));
    machine.load(DATA + 0xffe, &[0x13, 0]).unwrap();
    finish(&mut machine);
    let hart = &machine.cpu.hart;
    assert_eq!((hart.scause, hart.stval, hart.sepc), (12, 0x1000, 0xffe));
}

#[test]
fn sfence_makes_a_changed_page_table_count() {
    for by_address in [0, 5] {
        let mut machine = prepared(|code| {
            code.li(5, 0x100).li(7, LEAF).li(8, entry(DATA + 0x1000, V | R | W));
            code.words(&[ld(28, 5, 0), sd(8, 7, 0), r(0x73, 0, 9, 0, by_address, 0), ld(29, 5, 0)]);
        });
        identity(&mut machine, entry(DATA, V | R | W));
        machine.load(DATA + 0x100, &1u64.to_le_bytes()).unwrap();
        machine.load(DATA + 0x1100, &2u64.to_le_bytes()).unwrap();
        finish(&mut machine);
        assert_eq!((machine.cpu.hart.x[28], machine.cpu.hart.x[29]), (1, 2));
    }
}

#[test]
fn sum_and_the_mode_count_at_once() {
    // A load with SUM fills the TLB; without SUM the same load must fault.
    let mut machine = prepared(|code| {
        code.li(5, 0x100).li(7, status::SUM);
        code.words(&[csrrs(0, SSTATUS, 7), ld(28, 5, 0), csrrc(0, SSTATUS, 7), ld(29, 5, 0)]);
    });
    identity(&mut machine, entry(DATA, V | R | U));
    machine.load(DATA + 0x100, &9u64.to_le_bytes()).unwrap();
    machine.cpu.hart.x[29] = 5;
    finish(&mut machine);
    let hart = &machine.cpu.hart;
    assert_eq!((hart.x[28], hart.x[29], hart.scause, hart.stval), (9, 5, 13, 0x100));
}

#[test]
fn atomic_operations_fault_as_stores_but_lr_as_a_load() {
    let amoadd_d = r(0x2f, 3, 0, 7, 5, 0);
    let lr_d = r(0x2f, 3, 2 << 2, 7, 5, 0);
    // Unprivileged specification, "Zaamo": an AMO is a store for its exceptions; so it is where even a load
    // would fault.
    for (name, leaf, word, cause) in [
        ("nothing there", 0, amoadd_d, 15),
        ("read-only", V | R, amoadd_d, 15),
        ("code", V | X, amoadd_d, 15),
        ("user page", V | R | W | U, amoadd_d, 15),
        ("lr, nothing there", 0, lr_d, 13),
        ("lr, code", V | X, lr_d, 13),
    ] {
        let mut machine = prepared(|code| {
            code.li(5, 0x100).word(word);
        });
        identity(&mut machine, if leaf == 0 { 0 } else { entry(DATA, leaf) });
        finish(&mut machine);
        let hart = &machine.cpu.hart;
        assert_eq!((hart.scause, hart.stval), (cause, 0x100), "{name}");
    }
}

#[test]
fn a_load_from_a_user_page_does_not_let_supervisor_mode_run_it() {
    // Privileged specification, "Memory Privilege in sstatus": SUM is for loads and stores alone. The load
    // fills the TLB with a page that may be run, in user mode.
    let mut machine = prepared(|code| {
        code.li(5, 0x100).li(7, status::SUM);
        code.words(&[csrrs(0, SSTATUS, 7), ld(28, 5, 0), jalr(1, 5, 0)]);
    });
    identity(&mut machine, entry(DATA, V | R | X | U));
    finish(&mut machine);
    let hart = &machine.cpu.hart;
    assert_eq!((hart.scause, hart.sepc, hart.stval), (12, 0x100, 0x100));
}
