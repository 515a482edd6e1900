//! `bench machine`: a fixed set of programs on our computer in WebAssembly, next to our computer natively,
//! QEMU's user mode and QEMU's whole system, in turns, each case on all four before the next. Every round
//! boots anew, so that what a system keeps of code it has seen is that of one round.

mod cases;
mod report;

use std::env;
use std::fs;

use anyhow::{Context, Result, ensure};
use systems::{Computers, Images, Native, Outcome, Qemu, Root, Shell, User, Wasm, Wire};

use cases::{BOOT, CASES, LIMIT};

/// Rounds when none are asked for.
const ROUNDS: usize = 3;

/// Of every system. Node.js wants some, and what nobody touches costs nothing.
const MEMORY: usize = 1 << 30;

/// In the order of the columns.
pub const SYSTEMS: [&str; 4] = ["ours", "native", "user", "system"];

/// The outcomes of a case: by system, then by round.
pub type Outcomes = [Vec<Outcome>; SYSTEMS.len()];

pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = arguments.first().map(|text| text.parse()).transpose();
    let rounds: usize = rounds.context("the number of rounds")?.unwrap_or(ROUNDS);
    ensure!(rounds > 0, "at least one round is needed");
    let images = Images::find(Root::Full)?;
    let work = env::var_os("XPRESSCLAW_BENCH_WORK")
        .context("XPRESSCLAW_BENCH_WORK is not set: run `cargo xtask bench machine`")?;
    let work = fs::read(work).context("XPRESSCLAW_BENCH_WORK")?;
    let compiled = tempfile::tempdir()?;
    let computers = Computers::start(&images, compiled.path())?;
    let mut boots = Outcomes::default();
    let mut outcomes: Vec<Outcomes> = CASES.iter().map(|_| Outcomes::default()).collect();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        let mut shells = start(&computers, &images)?;
        for (shell, boots) in shells.iter_mut().zip(&mut boots) {
            boots.push(shell.started().clone());
            shell.put(&work, LIMIT)?;
            let ready = shell.run(cases::PREPARE, LIMIT)?;
            ensure!(ready.status == 0, "{}", String::from_utf8_lossy(&ready.stderr));
        }
        for (case, outcomes) in CASES.iter().zip(&mut outcomes) {
            for (shell, outcomes) in shells.iter_mut().zip(outcomes.iter_mut()) {
                let outcome = shell.run(case.script, LIMIT);
                outcomes.push(outcome.with_context(|| case.name.to_owned())?);
            }
            same_answer(case.name, outcomes)?;
        }
    }
    report::print(&boots, &outcomes, rounds);
    Ok(())
}

/// All systems, in the order of the columns, one after the other.
fn start(computers: &Computers, images: &Images) -> Result<[Shell<Box<dyn Wire>>; SYSTEMS.len()]> {
    Ok([
        Shell::start(|| Ok(Box::new(Wasm::boot(computers, MEMORY)?) as _)).context(SYSTEMS[0])?,
        Shell::start(|| Ok(Box::new(Native::boot(images, MEMORY)?) as _)).context(SYSTEMS[1])?,
        Shell::start(|| Ok(Box::new(User::start(images)?) as _)).context(SYSTEMS[2])?,
        Shell::start(|| Ok(Box::new(Qemu::boot(images, MEMORY)?) as _)).context(SYSTEMS[3])?,
    ])
}

/// A fast wrong answer is none.
fn same_answer(name: &str, outcomes: &Outcomes) -> Result<()> {
    let answers: Vec<_> =
        outcomes.iter().flatten().map(|outcome| (outcome.status, &outcome.stdout)).collect();
    let first = answers.first().with_context(|| format!("{BOOT} only"))?;
    ensure!(first.0 == 0, "{name} failed: {:?}", outcomes[0].first());
    ensure!(
        answers.iter().all(|answer| answer == first),
        "{name}: the answers differ: {answers:?}"
    );
    Ok(())
}
