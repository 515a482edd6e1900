//! Bytes on their way to somebody who takes them slowly, never more than the other side was allowed.
//! Used for the input of commands and for the answers to `xclaw`.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use machine_protocol::WINDOW;
use rustix::io::Errno;

/// The host sent more than it was allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overrun;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes, perhaps none.
    Bytes(u32),
    /// Nobody reads any more.
    Broken,
}

#[derive(Debug, Default)]
pub struct Window {
    pending: VecDeque<u8>,
    /// Which of the pending bytes the host does not count, in order.
    controls: VecDeque<usize>,
}

impl Window {
    pub fn push(&mut self, data: &[u8]) -> Result<(), Overrun> {
        if self.pending.len() - self.controls.len() + data.len() > WINDOW as usize {
            return Err(Overrun);
        }
        self.pending.extend(data);
        Ok(())
    }

    /// A byte that no window counts: the host did not send it, so it is not told that it was taken.
    pub fn push_control(&mut self, byte: u8) {
        self.controls.push_back(self.pending.len());
        self.pending.push_back(byte);
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Writes what `to` takes now.
    pub fn write(&mut self, to: impl AsFd) -> Taken {
        let mut taken = 0;
        while !self.pending.is_empty() {
            let (front, _) = self.pending.as_slices();
            match rustix::io::write(&to, front) {
                Ok(count) => {
                    taken += u32::try_from(self.written(count)).unwrap_or(u32::MAX);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return Taken::Broken,
            }
        }
        Taken::Bytes(taken)
    }

    /// So many bytes are written; how many of them the host counts.
    fn written(&mut self, count: usize) -> usize {
        self.pending.drain(..count);
        let controls = self.controls.iter().take_while(|at| **at < count).count();
        self.controls.drain(..controls);
        for at in &mut self.controls {
            *at -= count;
        }
        count - controls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_window_is_an_overrun_and_writing_makes_room() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut window = Window::default();
        window.push(&vec![1; WINDOW as usize]).unwrap();
        assert_eq!(window.push(&[1]), Err(Overrun));
        // A pipe of Linux takes 64 KiB.
        assert_eq!(window.write(&writer), Taken::Bytes(64 << 10));
        assert_eq!(window.write(&writer), Taken::Bytes(0));
        window.push(&vec![2; 64 << 10]).unwrap();
        assert_eq!(window.push(&[2]), Err(Overrun));
        drop(reader);
        assert_eq!(window.write(&writer), Taken::Broken);
    }

    #[test]
    fn control_bytes_are_written_in_order_and_never_counted() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut window = Window::default();
        window.push(&vec![b'a'; 64 << 10]).unwrap();
        window.push_control(4);
        window.push(b"b").unwrap();
        window.push_control(4);
        assert_eq!(window.write(&writer), Taken::Bytes(64 << 10));
        // They take no room either.
        window.push(&vec![b'c'; WINDOW as usize - 1]).unwrap();
        assert_eq!(window.push(b"d"), Err(Overrun));
        let mut buffer = vec![0; 64 << 10];
        assert_eq!(rustix::io::read(&reader, &mut buffer[..]), Ok(64 << 10));
        // Of what the pipe takes, two bytes are not the host's.
        assert_eq!(window.write(&writer), Taken::Bytes((64 << 10) - 2));
        assert_eq!(rustix::io::read(&reader, &mut buffer[..]), Ok(64 << 10));
        assert_eq!(buffer[..4], [4, b'b', 4, b'c']);
    }
}
