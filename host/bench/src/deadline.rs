//! `bench deadline`: how long after its CPU deadline a runaway guest is stopped, on a machine that
//! has nothing else to do and on one where every core is taken. Its baseline is the tick: a guest is
//! noticed at the first one after its deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use engine::{Allocation, CpuExhausted, Engine, Meter, Options, StoreLimits};
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use crate::host::Told;
use crate::stats::{conditions, median, millis, quantile, verdict};

const GUESTS: usize = 250;
/// Long enough for a few ticks, short enough for hundreds of guests.
const ALLOWED: Duration = Duration::from_millis(12);
const PROMISED: Duration = Duration::from_millis(20);

const RUNAWAY: &str = r#"
(component
  (core module $m (func (export "spin") (loop br 0)))
  (core instance $m (instantiate $m))
  (func (export "spin") (canon lift (core func $m "spin"))))
"#;

pub fn run(arguments: &[String]) -> Result<()> {
    let guests = match arguments.first() {
        Some(text) => text.parse().context("the number of guests")?,
        None => GUESTS,
    };
    println!("from the CPU deadline to the stop, {guests} runaway guests each; {}\n", conditions());
    println!(
        "{:<30}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "", "median", "90 %", "99 %", "longest", "late"
    );
    let cores = thread::available_parallelism()?.get();
    print("as the machine is", &measure(guests)?);
    let loaded = load(cores, || measure(guests))?;
    print(&format!("and {cores} threads that spin"), &loaded);
    let loaded = load(4 * cores, || measure(guests))?;
    print(&format!("and {} threads that spin", 4 * cores), &loaded);
    Ok(())
}

fn print(what: &str, late: &[Duration]) {
    let over = late.iter().filter(|late| **late > PROMISED).count();
    let at = |share| millis(quantile(late, share));
    println!(
        "{what:<30}{:>7.1} ms{:>7.1} ms{:>7.1} ms{:>7.1} ms{over:>10}   promised ≤ {} ms: {}",
        millis(median(late)),
        at(0.9),
        at(0.99),
        at(1.0),
        PROMISED.as_millis(),
        verdict(over == 0),
    );
}

/// Keeps so many threads busy meanwhile.
fn load<T>(threads: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..threads)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let result = work();
    stop.store(true, Ordering::Relaxed);
    for thread in busy {
        // It cannot panic.
        let _ = thread.join();
    }
    result
}

fn measure(guests: usize) -> Result<Vec<Duration>> {
    let engine = Engine::new(&Options { sessions: 4, allocation: Allocation::Pooled })?;
    let component = Component::new(engine.wasmtime(), RUNAWAY).told()?;
    let pre = Linker::<StoreLimits>::new(engine.wasmtime()).instantiate_pre(&component).told()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    (0..guests)
        .map(|_| {
            let (engine, pre) = (engine.wasmtime().clone(), pre.clone());
            runtime.block_on(runtime.spawn(async move {
                let mut store = Store::new(&engine, StoreLimits::default());
                let meter = Meter::default();
                meter.guard(&mut store);
                let instance = pre.instantiate_async(&mut store).await.told()?;
                let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").told()?;
                meter.allow(ALLOWED);
                let began = Instant::now();
                let stopped = meter.measure(spin.call_async(&mut store, ())).await;
                let late = began.elapsed().saturating_sub(ALLOWED);
                let error = stopped.err().context("the runaway came back")?;
                ensure!(error.is::<CpuExhausted>(), "it was stopped otherwise: {error:?}");
                Ok(late)
            }))?
        })
        .collect()
}
