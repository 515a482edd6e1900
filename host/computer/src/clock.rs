//! The computer's clock beside the one on the wall.
//!
//! A computer counts time by its instructions while it runs, which makes a fast one early and one that
//! waits for its turn late. Late is worse: a time-out that ends minutes after its time, a time of day that
//! is wrong. So it is set forward to the wall's clock at both ends of each turn, and never back: one
//! that was early goes on from there.

use std::time::{Duration, Instant};

/// Nanoseconds of a tick of the computer's clock.
const NANOS_PER_TICK: u64 = 100;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    at: Instant,
    ticks: u64,
}

impl Clock {
    /// A computer whose clock shows `ticks` now.
    pub fn new(ticks: u64) -> Self {
        Self { at: Instant::now(), ticks }
    }

    /// What the computer's clock is to show now, where it shows `ticks`.
    pub fn read(&mut self, ticks: u64) -> u64 {
        self.read_at(Instant::now(), ticks)
    }

    fn read_at(&mut self, now: Instant, ticks: u64) -> u64 {
        let passed = now.saturating_duration_since(self.at).as_nanos() as u64 / NANOS_PER_TICK;
        let wall = self.ticks.saturating_add(passed);
        if ticks > wall {
            *self = Self { at: now, ticks };
        }
        wall.max(ticks)
    }

    /// How long it is from `ticks` to a later moment.
    pub fn until(ticks: u64, later: u64) -> Duration {
        Duration::from_nanos(later.saturating_sub(ticks).saturating_mul(NANOS_PER_TICK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_set_forward_and_early_goes_on() {
        let start = Instant::now();
        let mut clock = Clock { at: start, ticks: 1_000 };
        let after = |micros| start + Duration::from_micros(micros);
        // Ten ticks a microsecond. It ran slower than that.
        assert_eq!(clock.read_at(after(100), 1_200), 2_000);
        // It ran faster, and waits from where it is.
        assert_eq!(clock.read_at(after(200), 9_000), 9_000);
        assert_eq!(clock.read_at(after(300), 9_000), 10_000);
        // The wall's clock cannot go back, and if it did, time would stand.
        assert_eq!(clock.read_at(start, 10_000), 10_000);
        assert_eq!(Clock::until(10, 12), Duration::from_nanos(200));
        assert_eq!(Clock::until(12, 10), Duration::ZERO);
    }
}
