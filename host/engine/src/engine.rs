//! The engine: one per process for plain harnesses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::{
    INSTANCES_MAX, INSTANCES_USUAL, MEMORIES_MAX, MEMORIES_USUAL, MEMORY_MAX_BYTES, POOL_MEMORIES,
    POOL_STACKS, TABLE_MAX_ELEMENTS, TABLES_MAX, TABLES_USUAL,
};

/// Between two ticks of the epoch clock. A runaway guest is noticed at the next tick after its
/// deadline, so this bounds how late: a quarter of the 20 ms that the specification promises.
const TICK: Duration = Duration::from_millis(5);

/// Fibers per session: one for each call into the guest that is under way.
const STACKS_PER_SESSION: u32 = 4;

/// Bytes of host stack for a guest: deep recursion in an interpreter inside the guest ends in its
/// own error first.
const WASM_STACK_BYTES: usize = 1 << 20;
/// The fiber a guest runs on: its stack and room for host calls on top.
const FIBER_STACK_BYTES: usize = 3 << 20;

/// Largest initial memory that is kept as one image and mapped copy-on-write, whatever its share
/// of zeroes: an interpreter's snapshot is 20 MB and half empty, and copying it at every start
/// would cost milliseconds and the same memory again per session.
const IMAGE_MAX_BYTES: u64 = 128 << 20;

/// What an embedder chooses.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sessions that may be alive at once; sizes the pool.
    pub sessions: u32,
    pub allocation: Allocation,
}

/// Where instances get their memory from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// A pool of slots reserved in advance; falls back to `OnDemand` where the address space does
    /// not suffice.
    Pooled,
    OnDemand,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("cannot set up the WebAssembly engine on this machine")]
    Setup(#[source] wasmtime::Error),
    #[error("cannot start the epoch thread")]
    Ticker(#[source] std::io::Error),
}

/// A configured wasmtime engine with its epoch clock. The clock stops when it is dropped.
pub struct Engine {
    engine: wasmtime::Engine,
    allocation: Allocation,
    stop: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Engine {
    pub fn new(options: &Options) -> Result<Self, EngineError> {
        let (engine, allocation) = build(options)?;
        let stop = Arc::new(AtomicBool::new(false));
        let weak = engine.weak();
        let stopped = stop.clone();
        let ticker = std::thread::Builder::new()
            .name("epoch".into())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    match weak.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })
            .map_err(EngineError::Ticker)?;
        Ok(Self { engine, allocation, stop, ticker: Some(ticker) })
    }

    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// What the probe of the address space allowed.
    pub fn allocation(&self) -> Allocation {
        self.allocation
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // It wakes within one tick; a panic in it has nothing left to break.
            let _ = ticker.join();
        }
    }
}

fn build(options: &Options) -> Result<(wasmtime::Engine, Allocation), EngineError> {
    if options.allocation == Allocation::Pooled {
        let mut config = base();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options.sessions)));
        match wasmtime::Engine::new(&config) {
            Ok(engine) => return Ok((engine, Allocation::Pooled)),
            Err(error) => tracing::debug!(%error, "no pool, memory on demand"),
        }
    }
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = wasmtime::Engine::new(&config).map_err(EngineError::Setup)?;
    Ok((engine, Allocation::OnDemand))
}

/// What both allocation strategies share. Everything here is part of the compatibility hash.
fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .memory_guaranteed_dense_image_size(IMAGE_MAX_BYTES)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES);
    config
}

fn pool(sessions: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    let sessions = sessions.max(1);
    pool.total_component_instances(sessions)
        .total_core_instances(total(sessions, INSTANCES_USUAL, INSTANCES_MAX))
        .total_memories(
            total(sessions, MEMORIES_USUAL, MEMORIES_MAX).min(sessions.max(POOL_MEMORIES)),
        )
        .total_tables(total(sessions, TABLES_USUAL, TABLES_MAX))
        .total_stacks(stacks(sessions))
        .max_core_instances_per_component(INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(MEMORY_MAX_BYTES)
        .table_elements(TABLE_MAX_ELEMENTS);
    pool
}

fn stacks(sessions: u32) -> u32 {
    sessions.saturating_mul(STACKS_PER_SESSION).min(sessions.saturating_add(POOL_STACKS))
}

/// Slots of the pool: the usual number for each session, and never too few for one of the largest.
fn total(sessions: u32, usual: u32, most: u32) -> u32 {
    sessions.saturating_mul(usual).max(most)
}
