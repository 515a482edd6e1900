//! Bytes between a computer, which runs on a thread of its own kind, and the async host.
//!
//! Both directions are bounded. What the guest sends waits in the guest when the host does not read;
//! what the host sends waits in the host when the guest does not.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Console text that is kept, the last of it: what a kernel says when it gives up, with its way there.
pub const CONSOLE_KEPT: usize = 64 << 10;

/// Bytes from the guest that wait for the host. A guest that has filled this sends at most one more
/// buffer, of which the largest is 5 MiB.
const OUTPUT_HIGH: usize = 256 << 10;

/// Bytes for the guest that wait for it: what the device takes at once.
const INPUT_HIGH: usize = 64 << 10;

/// Locks, also after a panic: what is in there is bytes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// The host's side, when it waits.
    waker: Option<Waker>,
    /// The guest's side has more and must be told when there is room.
    refused: bool,
    /// There is room for what was refused.
    again: bool,
    closed: bool,
}

impl Pipe {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// There is room.
    fn again(&mut self) -> Due {
        if !std::mem::take(&mut self.refused) {
            return Due::No;
        }
        self.again = true;
        Due::Yes
    }
}

/// Whether the computer should be given a turn because of what the host did.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Yes,
    No,
}

/// The wires of one computer.
#[derive(Default)]
pub struct Wires {
    output: Mutex<Pipe>,
    input: Mutex<Pipe>,
    console: Mutex<VecDeque<u8>>,
}

/// The computer's ends.
impl Wires {
    /// Whether the port's output is taken now; remembers if it is not.
    pub fn takes(&self) -> bool {
        let mut output = lock(&self.output);
        let takes = output.bytes.len() < OUTPUT_HIGH || output.closed;
        output.refused |= !takes;
        takes
    }

    /// Whether output that was refused is taken now: true once.
    pub fn has_room_again(&self) -> bool {
        std::mem::take(&mut lock(&self.output).again)
    }

    /// Output of the port. Thrown away when nobody can read it any more.
    pub fn output(&self, bytes: &[u8]) {
        let mut output = lock(&self.output);
        if !output.closed {
            output.bytes.extend(bytes);
            output.wake();
        }
    }

    /// Text of the console.
    pub fn console(&self, bytes: &[u8]) {
        let mut console = lock(&self.console);
        let kept = &bytes[bytes.len().saturating_sub(CONSOLE_KEPT)..];
        let surplus = (console.len() + kept.len()).saturating_sub(CONSOLE_KEPT);
        console.drain(..surplus);
        console.extend(kept);
    }

    /// Offers what the host sent to `take`, which says how many bytes it took.
    pub fn feed<E>(&self, take: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<usize, E> {
        let mut input = lock(&self.input);
        if input.bytes.is_empty() {
            return Ok(0);
        }
        let taken = take(input.bytes.make_contiguous())?.min(input.bytes.len());
        input.bytes.drain(..taken);
        if taken > 0 {
            input.wake();
        }
        Ok(taken)
    }

    /// The computer is no more: what it sent can still be read, then comes the end. Who has seen that
    /// end cannot write any more.
    pub fn close(&self) {
        for pipe in [&self.input, &self.output] {
            let mut pipe = lock(pipe);
            pipe.closed = true;
            pipe.wake();
        }
    }
}

/// The host's ends.
impl Wires {
    /// Moves what came into `into`; nothing at the end of the stream.
    pub fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<(usize, Due)> {
        let mut output = lock(&self.output);
        if output.bytes.is_empty() && !output.closed && !into.is_empty() {
            output.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let size = into.len().min(output.bytes.len());
        for (to, from) in into.iter_mut().zip(output.bytes.drain(..size)) {
            *to = from;
        }
        let due = if output.bytes.len() < OUTPUT_HIGH / 2 { output.again() } else { Due::No };
        Poll::Ready((size, due))
    }

    /// Takes what there is room for; `None` when the computer is no more.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Option<usize>> {
        let mut input = lock(&self.input);
        if input.closed {
            return Poll::Ready(None);
        }
        let size = bytes.len().min(INPUT_HIGH.saturating_sub(input.bytes.len()));
        if size == 0 && !bytes.is_empty() {
            input.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        input.bytes.extend(&bytes[..size]);
        Poll::Ready(Some(size))
    }

    /// Nobody reads any more: output is thrown away from now on.
    pub fn abandon(&self) -> Due {
        let mut output = lock(&self.output);
        output.closed = true;
        output.bytes = VecDeque::new();
        output.again()
    }

    /// The console's last text.
    pub fn console_text(&self) -> String {
        let (a, b) = {
            let console = lock(&self.console);
            let (a, b) = console.as_slices();
            (a.to_vec(), b.to_vec())
        };
        String::from_utf8_lossy(&[a, b].concat()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wires: &Wires, size: usize) -> Option<(Vec<u8>, Due)> {
        let mut into = vec![0; size];
        match wires.poll_read(&mut Context::from_waker(Waker::noop()), &mut into) {
            Poll::Ready((size, due)) => Some((into[..size].to_vec(), due)),
            Poll::Pending => None,
        }
    }

    fn write(wires: &Wires, bytes: &[u8]) -> Poll<Option<usize>> {
        wires.poll_write(&mut Context::from_waker(Waker::noop()), bytes)
    }

    #[test]
    fn output_is_refused_when_full_and_the_computer_is_due_when_half_is_read() {
        let wires = Wires::default();
        assert!(wires.takes());
        wires.output(&vec![1; OUTPUT_HIGH]);
        assert!(!wires.takes());
        assert_eq!(read(&wires, OUTPUT_HIGH / 2).unwrap().1, Due::No);
        assert_eq!(read(&wires, 1).unwrap().1, Due::Yes);
        assert_eq!(read(&wires, 1).unwrap().1, Due::No, "once");
        assert!(wires.has_room_again() && !wires.has_room_again());
        assert!(wires.takes());
    }

    #[test]
    fn input_waits_when_full_and_goes_in_order() {
        let wires = Wires::default();
        assert_eq!(write(&wires, b"abc"), Poll::Ready(Some(3)));
        assert_eq!(write(&wires, &vec![7; INPUT_HIGH]), Poll::Ready(Some(INPUT_HIGH - 3)));
        assert_eq!(write(&wires, b"x"), Poll::Pending);
        let mut seen = Vec::new();
        let mut take = |bytes: &[u8]| {
            seen.extend_from_slice(&bytes[..2]);
            Ok::<_, ()>(2)
        };
        assert_eq!(wires.feed(&mut take), Ok(2));
        assert_eq!(wires.feed(&mut take), Ok(2));
        assert_eq!(seen, [b'a', b'b', b'c', 7]);
        assert_eq!(write(&wires, b"xyz12"), Poll::Ready(Some(4)));
    }

    #[test]
    fn the_end_comes_after_what_was_sent() {
        let wires = Wires::default();
        assert_eq!(read(&wires, 8), None);
        wires.output(b"last");
        wires.close();
        assert_eq!(read(&wires, 8).unwrap().0, b"last");
        assert_eq!(read(&wires, 8).unwrap().0, b"");
        assert_eq!(write(&wires, b"x"), Poll::Ready(None));
    }

    #[test]
    fn nobody_reading_is_no_reason_to_wait() {
        let wires = Wires::default();
        wires.output(&vec![1; OUTPUT_HIGH]);
        assert!(!wires.takes());
        assert_eq!(wires.abandon(), Due::Yes);
        assert!(wires.takes());
        wires.output(b"x");
        assert_eq!(read(&wires, 8).unwrap().0, b"");
    }

    #[test]
    fn the_console_keeps_its_last_text() {
        let wires = Wires::default();
        wires.console(b"first\n");
        wires.console(&vec![b'x'; CONSOLE_KEPT - 3]);
        assert_eq!(wires.console_text().len(), CONSOLE_KEPT);
        assert!(wires.console_text().starts_with("st\nx"));
        wires.console(&[vec![b'y'; CONSOLE_KEPT], b"end".to_vec()].concat());
        assert!(wires.console_text().ends_with("yend"));
        assert_eq!(wires.console_text().len(), CONSOLE_KEPT);
    }
}
