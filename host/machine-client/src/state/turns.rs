//! Who has something to ask of the guest, each in its turn.

use std::collections::{BTreeSet, VecDeque};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Process(u32),
    Connection(u64),
}

/// A queue in which everybody stands once. Who has more to say queues again, so that one with much to send
/// holds no other up by more than a message.
#[derive(Debug, Default)]
pub struct Turns {
    queue: VecDeque<Who>,
    queued: BTreeSet<Who>,
}

impl Turns {
    pub fn want(&mut self, who: Who) {
        if self.queued.insert(who) {
            self.queue.push_back(who);
        }
    }

    pub fn next(&mut self) -> Option<Who> {
        let who = self.queue.pop_front()?;
        self.queued.remove(&who);
        Some(who)
    }

    pub fn forget(&mut self, who: Who) {
        if self.queued.remove(&who) {
            self.queue.retain(|other| *other != who);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_stands_once_and_in_order() {
        let mut turns = Turns::default();
        for id in [1, 2, 1, 3, 2] {
            turns.want(Who::Process(id));
        }
        turns.forget(Who::Process(2));
        turns.forget(Who::Connection(9));
        assert_eq!(turns.next(), Some(Who::Process(1)));
        turns.want(Who::Process(1));
        assert_eq!(turns.next(), Some(Who::Process(3)));
        assert_eq!(turns.next(), Some(Who::Process(1)));
        assert!(turns.is_empty() && turns.next().is_none());
    }
}
