//! Messages to and from the host on a stream that never blocks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use machine_protocol::{Decoder, Event, Request, encode};
use rustix::io::Errno;

use super::AgentError;

/// Bytes that wait for the host before no more output is read from commands: what the console takes in
/// a few rounds.
const DATA_BACKLOG: usize = 256 << 10;
/// And before no more requests are: answers are small, so only a host that asks and does not read gets here.
const BACKLOG: usize = 1 << 20;
/// Bytes read at once.
const READ: usize = 64 << 10;

pub struct Channel {
    stream: OwnedFd,
    decoder: Decoder,
    out: Vec<u8>,
    /// Of `out`, what was written.
    written: usize,
    buffer: Vec<u8>,
}

impl Channel {
    pub fn new(stream: OwnedFd) -> Self {
        let decoder = Decoder::default();
        Self { stream, decoder, out: Vec::new(), written: 0, buffer: vec![0; READ] }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Keeps it until [`Channel::flush`].
    pub fn send(&mut self, event: &Event) -> Result<(), AgentError> {
        self.out.extend(encode(event)?);
        Ok(())
    }

    fn backlog(&self) -> usize {
        self.out.len() - self.written
    }

    pub fn is_flushed(&self) -> bool {
        self.backlog() == 0
    }

    pub fn takes_data(&self) -> bool {
        self.backlog() < DATA_BACKLOG
    }

    pub fn takes_requests(&self) -> bool {
        self.backlog() < BACKLOG
    }

    /// Writes what the host takes now.
    pub fn flush(&mut self) -> Result<(), AgentError> {
        while self.backlog() > 0 {
            match rustix::io::write(&self.stream, &self.out[self.written..]) {
                Ok(written) => self.written += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(AgentError::Stream(error)),
            }
        }
        if self.backlog() == 0 {
            self.out.clear();
            self.written = 0;
        } else if self.written > BACKLOG {
            self.out.drain(..self.written);
            self.written = 0;
        }
        Ok(())
    }

    /// Reads what came, once.
    pub fn fill(&mut self) -> Result<(), AgentError> {
        match rustix::io::read(&self.stream, &mut self.buffer[..]) {
            Ok(0) => Err(AgentError::HostGone),
            Ok(count) => {
                self.decoder.push(&self.buffer[..count]);
                Ok(())
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(()),
            Err(error) => Err(AgentError::Stream(error)),
        }
    }

    /// The next request that came whole.
    pub fn next(&mut self) -> Result<Option<Request>, AgentError> {
        Ok(self.decoder.next()?)
    }
}
