//! Supervisor mode against `qemu-system-riscv64` with OpenSBI: random programs over Sv39 page tables, all
//! that can be seen of the hart compared at every trap, and memory with the page tables in the end.
//!
//! Needs Debian's `qemu-system-misc` and `opensbi`. Each run has programs of a fixed seed and of a fresh
//! one, which is printed. `RISCV_BATCHES` makes that many batches of 96 programs of the fixed seed,
//! `RISCV_SEED` has it start elsewhere.
//!
//! What is left to implementations, or known to be a mistake of QEMU 7.2 or OpenSBI 1.1, and how it is kept
//! out. A mistake has a test of its own here that says what is right.
//!
//! | what | how |
//! |---|---|
//! | `stval` of a breakpoint: its address or zero | masked; the handler clears it, since programs read it |
//! | `stval` of an access fault that is not aligned: QEMU names the aligned word | its low three bits: the same |
//! | address space identifiers, Sv48 and Sv57 in `satp`; modes of `stvec` above 1; counters above 2 in `scounteren`; other bits of `sstatus`, `sie`, `sip`, `senvcfg` | not written |
//! | bit 0 of `sepc`: QEMU keeps it, it is zero (`supervisor/traps.rs`) | not written |
//! | values of the counters | read to `x0` |
//! | `time` from user mode: OpenSBI reads it also where `scounteren` forbids (`supervisor/traps.rs`) | not from user mode |
//! | whether setting or clearing nothing in `frm` and `fcsr` makes the unit dirty; comparisons and conversions to integers that raise nothing | always a bit; not generated |
//! | `sc` without its `lr` | not generated |
//! | an atomic operation that may not: QEMU faults as its load does, not as a store (`supervisor/traps.rs`, `supervisor/paging.rs`) | a load of the same address goes before; aligned |
//! | a store to two pages of which one is nothing: whether half of it is done | what crosses an end of such a page is not generated |
//! | page tables outside of memory: QEMU has page faults, not access faults (`supervisor/paging.rs`) | tables are in memory |
//! | fetches from user pages in supervisor mode: QEMU's TLB allows them after a load with SUM (`supervisor/paging.rs`) | `sfence.vma` before code is entered in supervisor mode |
//! | exceptions that the firmware hands on (illegal instructions, access faults) while interrupts are vectored: OpenSBI enters the handler at an odd address (`supervisor/traps.rs`) | vectored for one trap at a time, of the other causes |
//! | `stimecmp`: whether the firmware allows it depends on its version (`supervisor/time.rs`) | the timer is set by calls |
//! | calls of the firmware beyond what versions 1.0 and 2.0 of its specification share | not generated |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test program")]

mod changing;
mod compare;
mod firmware;
mod handler;
mod items;
mod layout;
mod memory;
mod pages;
mod places;
mod program;
mod qemu;
mod snippets;
#[path = "../support/mod.rs"]
mod support;

use compare::Batch;
use std::collections::BTreeMap;

/// Causes that every batch must meet: exceptions, software and timer interrupts.
const CAUSES: [u64; 12] = [1, 2, 3, 4, 5, 7, 8, 12, 13, 15, 1 << 63 | 1, 1 << 63 | 5];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Runs programs on both sides; no difference, and nothing that they should have met was missed.
fn check(first: u64, batches: u64) {
    let (mut traps, mut differences) = (BTreeMap::new(), Vec::new());
    for batch in 0..batches {
        let batch = Batch::new(first + batch * layout::PROGRAMS);
        let (ours, theirs) = (batch.run_ours(), qemu::run(&batch.image));
        for (cause, count) in batch.traps(&ours) {
            *traps.entry(cause).or_insert(0) += count;
        }
        differences.extend(batch.differences(&ours, &theirs.memory));
        differences.extend(theirs.failure);
        assert!(differences.len() < 50, "{}", differences.join("\n"));
    }
    println!(
        "{} programs from seed {first}, traps by cause {traps:x?}",
        batches * layout::PROGRAMS
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for cause in CAUSES {
        assert!(traps.contains_key(&cause), "no program met cause {cause:#x}");
    }
}

#[test]
fn random_programs_see_what_they_see_under_qemu() {
    check(number("RISCV_SEED", 1), number("RISCV_BATCHES", 1));
}

#[test]
fn programs_that_nobody_ran_before_see_what_they_see_under_qemu() {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    check(since.as_nanos() as u64, 1);
}
