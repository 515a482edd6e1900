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
}

impl Window {
    pub fn push(&mut self, data: &[u8]) -> Result<(), Overrun> {
        if self.pending.len() + data.len() > WINDOW as usize {
            return Err(Overrun);
        }
        self.pending.extend(data);
        Ok(())
    }

    /// A byte that no window counts.
    pub fn push_control(&mut self, byte: u8) {
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
                    self.pending.drain(..count);
                    taken += u32::try_from(count).unwrap_or(u32::MAX);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return Taken::Broken,
            }
        }
        Taken::Bytes(taken)
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
}
