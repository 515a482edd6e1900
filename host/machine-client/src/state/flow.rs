//! Flow control of one stream, in each direction. Nothing here knows what the bytes are.

use std::collections::VecDeque;

use machine_protocol::{MAX_DATA, WINDOW};

use super::front;

/// Bytes that a reader took before the guest is allowed as many more. A quarter of the window: a reader of
/// single bytes costs one message for 65,536 of them, and a guest whose reader keeps up never waits, for
/// three quarters of a window remain.
const ALLOW_AT: u32 = WINDOW / 4;

/// The guest did what flow control forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overrun {
    #[error("more than {MAX_DATA} bytes in a message")]
    Message,
    #[error("more bytes than it was allowed")]
    Window,
    #[error("more bytes taken than were sent")]
    Taken,
}

/// What the guest may send. What it may send, what waits for the reader and what is owed are one window.
#[derive(Debug)]
pub struct Inflow {
    allowed: u32,
    owed: u32,
}

impl Default for Inflow {
    fn default() -> Self {
        Self { allowed: WINDOW, owed: 0 }
    }
}

impl Inflow {
    pub fn arrived(&mut self, bytes: usize) -> Result<(), Overrun> {
        let bytes = u32::try_from(bytes).ok().filter(|_| bytes <= MAX_DATA);
        let bytes = bytes.ok_or(Overrun::Message)?;
        self.allowed = self.allowed.checked_sub(bytes).ok_or(Overrun::Window)?;
        Ok(())
    }

    /// A reader took bytes that had arrived.
    pub fn consumed(&mut self, bytes: usize) {
        // Never more than the window, since so much at most arrived.
        self.owed = self.owed.saturating_add(u32::try_from(bytes).unwrap_or(WINDOW)).min(WINDOW);
    }

    pub fn is_due(&self) -> bool {
        self.owed >= ALLOW_AT
    }

    /// What to allow now, if it is worth a message.
    pub fn take(&mut self) -> Option<u32> {
        let bytes = self.is_due().then(|| std::mem::take(&mut self.owed))?;
        self.allowed += bytes;
        Some(bytes)
    }
}

/// What is on its way to the guest: bytes that wait for their turn, and bytes that it has not taken. Both
/// together are at most one window.
#[derive(Debug, Default)]
pub struct Outflow {
    waiting: VecDeque<u8>,
    sent: usize,
}

impl Outflow {
    pub fn room(&self) -> usize {
        (WINDOW as usize).saturating_sub(self.waiting.len() + self.sent)
    }

    /// Takes what fits; how many bytes that was.
    pub fn push(&mut self, data: &[u8]) -> usize {
        let fits = &data[..data.len().min(self.room())];
        self.waiting.extend(fits);
        fits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next message's bytes.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let data = front::take(&mut self.waiting, MAX_DATA);
        self.sent += data.len();
        (!data.is_empty()).then_some(data)
    }

    /// The guest made room.
    pub fn taken(&mut self, bytes: u32) -> Result<(), Overrun> {
        self.sent = self.sent.checked_sub(bytes as usize).ok_or(Overrun::Taken)?;
        Ok(())
    }

    /// Nobody wants what waits.
    pub fn clear(&mut self) {
        self.waiting = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_sends_what_it_is_allowed_and_no_byte_more() {
        let mut inflow = Inflow::default();
        assert_eq!(inflow.arrived(MAX_DATA + 1), Err(Overrun::Message));
        for _ in 0..WINDOW as usize / MAX_DATA {
            assert_eq!(inflow.arrived(MAX_DATA), Ok(()));
        }
        assert_eq!(inflow.arrived(1), Err(Overrun::Window));
        inflow.consumed(ALLOW_AT as usize - 1);
        assert_eq!(inflow.take(), None, "not worth a message");
        inflow.consumed(1);
        assert_eq!(inflow.take(), Some(ALLOW_AT));
        assert_eq!(inflow.take(), None);
        assert_eq!(inflow.arrived(ALLOW_AT as usize), Ok(()));
        assert_eq!(inflow.arrived(1), Err(Overrun::Window));
    }

    #[test]
    fn a_window_is_under_way_at_most_and_only_what_was_sent_is_taken() {
        let mut outflow = Outflow::default();
        let window = WINDOW as usize;
        assert_eq!(outflow.push(&vec![1; window + 1]), window);
        assert_eq!((outflow.push(&[1]), outflow.room()), (0, 0));
        assert_eq!(outflow.taken(1), Err(Overrun::Taken), "nothing was sent");
        assert_eq!(outflow.take().map(|data| data.len()), Some(MAX_DATA));
        assert_eq!((outflow.push(&[1]), outflow.room()), (0, 0));
        assert_eq!(outflow.taken(5), Ok(()));
        assert_eq!(outflow.push(&[1; 9]), 5);
        assert_eq!(outflow.taken(u32::MAX), Err(Overrun::Taken));
    }
}
