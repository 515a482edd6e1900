//! CPU metering: how long a guest really computed.
//!
//! A guest runs inside the poll of one future. Time between polls is time in which it waits for
//! the host (a model's answer, a user), so the sum of the polls is the guest's own time: a guest
//! that waits an hour is charged nothing. The epoch callback adds the poll that is under way and
//! stops the guest when the sum passes its deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

/// The trap of a guest that passed its CPU deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the harness computed for {} s without finishing and was stopped", limit.as_secs_f64())]
pub struct CpuExhausted {
    pub limit: Duration,
}

/// The CPU account of one guest. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Meter {
    start: Instant,
    /// Nanoseconds of finished polls.
    spent: Arc<AtomicU64>,
    /// Nanoseconds after `start` at which the current poll began.
    polling_since: Arc<AtomicU64>,
    /// Nanoseconds of `spent` at which the guest is stopped.
    deadline: Arc<AtomicU64>,
    limit: Arc<AtomicU64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            spent: Arc::default(),
            polling_since: Arc::default(),
            deadline: Arc::new(AtomicU64::new(u64::MAX)),
            limit: Arc::default(),
        }
    }
}

impl Meter {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The guest's own time so far, finished polls only.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    /// Allows `limit` more from now on.
    pub fn allow(&self, limit: Duration) {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.limit.store(nanos, Ordering::Relaxed);
        let spent = self.spent.load(Ordering::Relaxed);
        self.deadline.store(spent.saturating_add(nanos), Ordering::Relaxed);
    }

    fn exhausted(&self) -> Option<CpuExhausted> {
        let current = self.now().saturating_sub(self.polling_since.load(Ordering::Relaxed));
        let total = self.spent.load(Ordering::Relaxed).saturating_add(current);
        (total > self.deadline.load(Ordering::Relaxed)).then(|| CpuExhausted {
            limit: Duration::from_nanos(self.limit.load(Ordering::Relaxed)),
        })
    }

    /// Makes the store stop its guest when the allowance is spent, and yield to the executor at
    /// every tick, so that a busy guest starves nobody.
    pub fn guard<T>(&self, store: &mut Store<T>) {
        let meter = self.clone();
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| match meter.exhausted() {
            Some(error) => Err(error.into()),
            None => Ok(UpdateDeadline::Yield(1)),
        });
    }

    /// Charges the polls of `future` to this meter. Every future that runs guest code goes
    /// through here.
    pub fn measure<F: Future>(&self, future: F) -> Metered<F> {
        Metered { meter: self.clone(), future: Box::pin(future) }
    }
}

/// A future whose polls are charged.
pub struct Metered<F> {
    meter: Meter,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let began = self.meter.now();
        self.meter.polling_since.store(began, Ordering::Relaxed);
        let result = self.future.as_mut().poll(cx);
        let used = self.meter.now().saturating_sub(began);
        self.meter.spent.fetch_add(used, Ordering::Relaxed);
        result
    }
}
