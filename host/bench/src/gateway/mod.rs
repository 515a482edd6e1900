//! `bench gateway`: what `xpressclaw serve` adds to a model call, and what it costs, against the same
//! load straight to the provider and through two other gateways, all in one run.
//!
//! The load is open: requests leave at a fixed rate whatever comes back, and each is timed from when
//! it was due, so that a gateway that falls behind cannot hide it (no coordinated omission). What a
//! gateway adds is its quantile less that of the direct way (the delta method). The provider is a
//! process of its own on loopback that answers at once, or, for streams, a word every 200 ms for two
//! seconds. All share the cores with the load, so the numbers are those of a small busy machine.

mod gateways;
mod load;
mod mock;
mod report;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cpu, memory};
use crate::stats::conditions;
use gateways::{Peers, Target};
use load::{Outcome, closed, open};

/// What makes the program the provider.
const MOCK: &str = "--mock";
/// After the number of rounds: no peers.
const ALONE: &str = "alone";
/// Rounds when none are asked for; quantiles are over the samples of all.
const ROUNDS: usize = 3;
/// Streams that begin each second. Each lasts two, so twice as many are open.
const RATES: [u32; 2] = [10, 100];
const OPEN: Duration = Duration::from_secs(10);
/// Requests of the closed load that are under way at any time.
const TOGETHER: usize = 16;
const CLOSED: Duration = Duration::from_secs(5);
/// A warm-up ends first-use costs: connections, lazily loaded code, compilers.
const WARM: Duration = Duration::from_secs(3);

/// All that was seen of one way to the provider.
#[derive(Default)]
pub struct Seen {
    /// By rate.
    streams: [Outcome; RATES.len()],
    whole: Outcome,
    /// Of the closed load: wall time, and processor time of the gateway.
    wall: Duration,
    cpu: Duration,
    /// KiB.
    peak: u64,
}

pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.first().is_some_and(|first| first == MOCK) {
        return mock::run();
    }
    let peers = match arguments.get(1).map(String::as_str) {
        None => Peers::Beside,
        Some(ALONE) => Peers::Without,
        Some(other) => bail!("`{other}`: after the rounds there may be `{ALONE}`, for no peers"),
    };
    let rounds = match arguments.first() {
        Some(text) => text.parse().context("the number of rounds")?,
        None => ROUNDS,
    };
    ensure!(rounds > 0, "at least one round is needed");
    // The client wants one, also where nothing is encrypted. An earlier one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mock = mock::start()?;
    let targets = gateways::start(&mock, peers)?;
    println!("{}, {rounds} rounds in turns\n", conditions());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut seen: Vec<Seen> = targets.iter().map(|_| Seen::default()).collect();
    for target in &targets {
        runtime.block_on(closed(target, TOGETHER, WARM))?;
        runtime.block_on(open(target, RATES[0], WARM))?;
    }
    for _ in 0..rounds {
        for (target, seen) in targets.iter().zip(&mut seen) {
            round(&runtime, target, seen)?;
        }
    }
    report::print(&targets, &seen);
    Ok(())
}

fn round(runtime: &tokio::runtime::Runtime, target: &Target, seen: &mut Seen) -> Result<()> {
    for (rate, outcome) in RATES.iter().zip(&mut seen.streams) {
        outcome.extend(runtime.block_on(open(target, *rate, OPEN))?);
    }
    let before = target.pid().map(cpu).unwrap_or_default();
    let began = std::time::Instant::now();
    seen.whole.extend(runtime.block_on(closed(target, TOGETHER, CLOSED))?);
    seen.wall += began.elapsed();
    seen.cpu += target.pid().map(cpu).unwrap_or_default().saturating_sub(before);
    seen.peak = seen.peak.max(target.pid().map_or(0, |pid| memory(pid).peak));
    Ok(())
}
