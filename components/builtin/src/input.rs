//! What the user sends while a turn runs, and the one wait that heeds it.

use std::collections::VecDeque;

use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::base::wait::{Waitable, wait};
use crate::xpressclaw::harness::turn::{input_ready, take_input};
use crate::xpressclaw::harness::types::Input;

/// Inputs that were taken and wait for their moment.
pub struct Inbox {
    /// Open as long as the instance.
    ready: Waitable,
    steers: Vec<Vec<Part>>,
    follow_ups: VecDeque<Vec<Part>>,
    cancelled: bool,
}

impl Inbox {
    pub fn open() -> Self {
        Self {
            ready: input_ready(),
            steers: Vec::new(),
            follow_ups: VecDeque::new(),
            cancelled: false,
        }
    }

    /// A turn begins. What an earlier one left is still there.
    pub fn begin(&mut self) {
        self.cancelled = false;
    }

    /// Takes what has arrived; says whether the turn is cancelled. Never blocks.
    pub fn cancelled(&mut self) -> bool {
        while !self.cancelled {
            match take_input() {
                None => break,
                Some(Input::Cancel) => self.cancelled = true,
                Some(Input::Steer(parts)) => self.steers.push(parts),
                Some(Input::FollowUp(parts)) => self.follow_ups.push_back(parts),
            }
        }
        self.cancelled
    }

    /// Waits until one of `on` holds or the turn is cancelled. The indices are those that hold.
    pub fn wait(&mut self, on: &[&Waitable]) -> Vec<usize> {
        while !self.cancelled() {
            // Input comes last, so that the indices are the caller's.
            let all: Vec<&Waitable> = on.iter().copied().chain([&self.ready]).collect();
            let held = wait(&all, None);
            let held = held.into_iter().filter_map(|index| usize::try_from(index).ok());
            let held: Vec<usize> = held.filter(|index| *index < on.len()).collect();
            if !held.is_empty() {
                return held;
            }
        }
        Vec::new()
    }

    /// What the model shall see before its next step.
    pub fn steers(&mut self) -> Vec<Vec<Part>> {
        std::mem::take(&mut self.steers)
    }

    /// What to go on with when the turn would otherwise end.
    pub fn follow_up(&mut self) -> Option<Vec<Part>> {
        self.follow_ups.pop_front()
    }

    /// Everything that was taken and not handled.
    pub fn rest(&mut self) -> Vec<Vec<Part>> {
        self.steers.drain(..).chain(self.follow_ups.drain(..)).collect()
    }
}
