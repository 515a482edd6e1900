//! The table, and the promises.

use std::time::Duration;

use systems::Outcome;

use super::cases::{BOOT, CASES, Kind, PYTHON};
use super::{Outcomes, SYSTEMS};
use crate::stats::{conditions, median, millis, verdict};

/// What the specification promises: millions of instructions a second of processor time on programs that
/// people use, processor time of Python's start, time until the shell answers.
const MIPS: f64 = 50.0;
const PYTHON_START: Duration = Duration::from_millis(900);
const BOOT_TIME: Duration = Duration::from_secs(6);

/// Columns.
const OURS: usize = 0;
const NATIVE: usize = 1;
const USER: usize = 2;
const SYSTEM: usize = 3;

pub fn print(boots: &Outcomes, outcomes: &[Outcomes], rounds: usize) {
    println!("{}, {rounds} rounds, medians", conditions());
    println!("processor time in ms, and millions of guest instructions a second of it\n");
    println!(
        "{:<24}{:>9}{:>6}{:>9}{:>6}{:>9}{:>9}   ours to {:>8}{:>8}{:>8}",
        "",
        SYSTEMS[OURS],
        "MIPS",
        SYSTEMS[NATIVE],
        "MIPS",
        SYSTEMS[USER],
        SYSTEMS[SYSTEM],
        SYSTEMS[NATIVE],
        SYSTEMS[USER],
        SYSTEMS[SYSTEM],
    );
    row(BOOT, boots);
    for (case, outcomes) in CASES.iter().zip(outcomes) {
        row(case.name, outcomes);
    }
    println!();
    let slowest = CASES.iter().zip(outcomes).filter(|(case, _)| case.kind == Kind::Real);
    let slowest = slowest.map(|(case, outcomes)| (mips(&outcomes[OURS]), case.name));
    if let Some((mips, name)) = slowest.min_by(|a, b| a.0.total_cmp(&b.0)) {
        let held = verdict(mips >= MIPS);
        println!("real code, the slowest ({name}): {mips:.0} MIPS, promised ≥ {MIPS}: {held}");
    }
    if let Some(at) = CASES.iter().position(|case| case.name == PYTHON) {
        let cpu = cpu(&outcomes[at][OURS]);
        promise(PYTHON, "of processor time", cpu, PYTHON_START);
    }
    let wall: Vec<_> = boots[OURS].iter().map(|boot| boot.wall).collect();
    promise(BOOT, "on the clock", median(&wall), BOOT_TIME);
}

fn promise(name: &str, what: &str, took: Duration, most: Duration) {
    let held = verdict(took <= most);
    let (took, most) = (took.as_secs_f64(), most.as_secs_f64());
    println!("{name}: {took:.2} s {what}, promised ≤ {most}: {held}");
}

fn row(name: &str, outcomes: &Outcomes) {
    let [ours, native, user, system] = outcomes.each_ref().map(|outcomes| cpu(outcomes));
    let ratio = |other: Duration| {
        // User mode boots nothing.
        let ratio = ours.as_secs_f64() / other.as_secs_f64();
        if other.is_zero() { format!("{:>8}", "-") } else { format!("{ratio:>8.2}") }
    };
    println!(
        "{name:<24}{:>9.0}{:>6.0}{:>9.0}{:>6.0}{:>9.0}{:>9.0}           {}{}{}",
        millis(ours),
        mips(&outcomes[OURS]),
        millis(native),
        mips(&outcomes[NATIVE]),
        millis(user),
        millis(system),
        ratio(native),
        ratio(user),
        ratio(system),
    );
}

fn cpu(outcomes: &[Outcome]) -> Duration {
    let times: Vec<_> = outcomes.iter().map(|outcome| outcome.cpu).collect();
    median(&times)
}

fn mips(outcomes: &[Outcome]) -> f64 {
    let counts: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.instructions).collect();
    median(&counts) as f64 / cpu(outcomes).as_secs_f64().max(f64::EPSILON) / 1e6
}
