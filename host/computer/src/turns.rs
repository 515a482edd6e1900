//! Whose turn it is.
//!
//! Computers that have something to do stand in one line, and each thread takes the first, gives it one
//! turn, and puts it back at the end; so nobody waits longer than one turn of each of the others. A
//! computer that waits is in no line. What wakes it is its timer, or the host through [`Task::wake`].

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crate::computer::{Shared, State};
use crate::instance::Failure;
use crate::turn::Turn;
use crate::wires::Wires;

/// A computer, as the line knows it.
pub struct Task {
    /// Held by the thread whose turn it is.
    turn: Mutex<Turn>,
    pub wires: Wires,
    pub shared: Shared,
    line: Weak<Line>,
    /// Guarded by the line's lock, too: only [`Line`] touches it.
    phase: Mutex<Phase>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits, perhaps for a timer with this key.
    Resting(Option<Key>),
    Queued,
    Running,
    /// Running, and there is news that it may not have seen.
    RunningAgain,
    Over,
}

/// What a computer wants after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another turn.
    Again,
    /// A turn at that time, or when it is woken before.
    At(Instant),
    /// A turn when it is woken.
    Wait,
    /// None ever.
    Over,
}

/// Timers are sorted by time; the number keeps two of the same time apart.
type Key = (Instant, u64);

/// The line, and those who wait for a time.
#[derive(Default)]
pub struct Line {
    inner: Mutex<Inner>,
    news: Condvar,
}

#[derive(Default)]
struct Inner {
    ready: VecDeque<Arc<Task>>,
    timers: BTreeMap<Key, Arc<Task>>,
    timers_made: u64,
    closing: bool,
}

impl Task {
    /// A computer whose first turn comes when it is woken.
    pub fn new(turn: Turn, shared: Shared, line: &Arc<Line>) -> Arc<Self> {
        Arc::new(Self {
            turn: Mutex::new(turn),
            wires: Wires::default(),
            shared,
            line: Arc::downgrade(line),
            phase: Mutex::new(Phase::Resting(None)),
        })
    }

    /// There is something for it to do.
    pub fn wake(self: &Arc<Self>) {
        if let Some(line) = self.line.upgrade() {
            line.wake(self);
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, task: &Arc<Task>) {
        let mut inner = self.lock();
        let mut phase = task.phase();
        match *phase {
            Phase::Resting(timer) => {
                timer.and_then(|key| inner.timers.remove(&key));
                *phase = Phase::Queued;
                inner.ready.push_back(task.clone());
                self.news.notify_one();
            }
            Phase::Running => *phase = Phase::RunningAgain,
            Phase::Queued | Phase::RunningAgain | Phase::Over => {}
        }
    }

    /// Gives turns until the line is closed: what each thread does.
    pub fn serve(&self) {
        while let Some(task) = self.next() {
            // A panic would take the thread from all the others. The computer is not run again.
            let turn = AssertUnwindSafe(|| {
                task.turn.lock().unwrap_or_else(PoisonError::into_inner).take(&task)
            });
            let next = std::panic::catch_unwind(turn).unwrap_or_else(|_| {
                task.shared.end(State::Failed(Failure::Bug("its host panicked".into())));
                task.wires.close();
                Next::Over
            });
            self.put_back(task, next);
        }
    }

    /// Ends [`Line::serve`] on every thread, after the turns under way.
    pub fn close(&self) {
        self.lock().closing = true;
        self.news.notify_all();
    }

    fn next(&self) -> Option<Arc<Task>> {
        let mut inner = self.lock();
        loop {
            if inner.closing {
                return None;
            }
            let now = Instant::now();
            while let Some(timer) = inner.timers.first_entry().filter(|timer| timer.key().0 <= now)
            {
                let task = timer.remove();
                *task.phase() = Phase::Queued;
                inner.ready.push_back(task);
            }
            if let Some(task) = inner.ready.pop_front() {
                *task.phase() = Phase::Running;
                if !inner.ready.is_empty() {
                    self.news.notify_one();
                }
                return Some(task);
            }
            let wait = inner.timers.keys().next().map(|key| key.0 - now);
            inner = match wait {
                None => self.news.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let woken = self.news.wait_timeout(inner, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn put_back(&self, task: Arc<Task>, next: Next) {
        let mut inner = self.lock();
        let mut phase = task.phase();
        let again = *phase == Phase::RunningAgain;
        *phase = match next {
            Next::Over => Phase::Over,
            Next::Wait if !again => Phase::Resting(None),
            Next::At(time) if !again => {
                inner.timers_made += 1;
                let key = (time, inner.timers_made);
                inner.timers.insert(key, task.clone());
                // Whoever sleeps may sleep for longer than this timer.
                self.news.notify_one();
                Phase::Resting(Some(key))
            }
            Next::Again | Next::At(_) | Next::Wait => {
                inner.ready.push_back(task.clone());
                Phase::Queued
            }
        };
        drop(phase);
    }
}
