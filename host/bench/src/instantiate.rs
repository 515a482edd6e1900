//! `bench instantiate`: an instance of a harness with all that a session gives it (limits, meter,
//! WASI, verbs), against one of the same bytes under bare wasmtime, in turns. Both use the same
//! engine configuration; neither calls anything.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker};

use crate::host::{Bare, Host, Told};
use crate::stats::{conditions, median, micros, quantile, verdict};

const ROUNDS: usize = 2_000;
const SESSIONS: u32 = 16;
const RATIO: f64 = 1.2;

/// A harness and what the specification promises.
const HARNESSES: [(&str, Duration); 2] =
    [("echo", Duration::from_micros(25)), ("pi", Duration::from_micros(500))];

pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = match arguments.first() {
        Some(text) => text.parse().context("the number of rounds")?,
        None => ROUNDS,
    };
    println!("an instance, {rounds} rounds in turns; {}\n", conditions());
    println!("{:<8}{:>12}{:>12}{:>12}{:>12}{:>9}", "", "ours", "p99", "bare", "p99", "ratio");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (name, promised) in HARNESSES {
        let (ours, bare) = runtime.block_on(measure(name, rounds))?;
        let ratio = micros(median(&ours)) / micros(median(&bare));
        println!(
            "{name:<8}{:>9.1} µs{:>9.1} µs{:>9.1} µs{:>9.1} µs{ratio:>8.2}x   promised ≤ {RATIO}x: {}, \
             ≤ {} µs: {}",
            micros(median(&ours)),
            micros(quantile(&ours, 0.99)),
            micros(median(&bare)),
            micros(quantile(&bare, 0.99)),
            verdict(ratio <= RATIO),
            promised.as_micros(),
            verdict(median(&ours) <= promised),
        );
    }
    Ok(())
}

async fn measure(name: &str, rounds: usize) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let host = Host::new(SESSIONS)?;
    let (session, _events) = host.session(&host.harness(name)?)?;
    let bare = Bare::new(SESSIONS)?;
    let component = bare.component(name)?;
    let mut linker = Linker::<()>::new(bare.engine.wasmtime());
    linker.define_unknown_imports_as_traps(&component).told()?;
    let pre = linker.instantiate_pre(&component).told()?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    // The first touch each place of the pool.
    for round in 0..rounds + 2 * SESSIONS as usize {
        let began = Instant::now();
        let instance = session.instantiate().await?;
        let (took, began) = (began.elapsed(), drop_and(instance));
        let store = bare_instance(&bare, &pre).await?;
        let peer = began.elapsed();
        drop(store);
        if round >= 2 * SESSIONS as usize {
            ours.push(took);
            peers.push(peer);
        }
    }
    Ok((ours, peers))
}

/// The clock starts after what was measured is gone.
fn drop_and<T>(instance: T) -> Instant {
    drop(black_box(instance));
    Instant::now()
}

async fn bare_instance(bare: &Bare, pre: &InstancePre<()>) -> Result<Store<()>> {
    let mut store = Store::new(bare.engine.wasmtime(), ());
    store.set_epoch_deadline(u64::MAX / 2);
    black_box(pre.instantiate_async(&mut store).await.told()?);
    Ok(store)
}
