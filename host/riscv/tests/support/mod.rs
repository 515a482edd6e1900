//! What several test programs share.

pub mod asm;
pub mod rng;

use riscv::{Host, ReadFailed};

/// A host that keeps what it is told.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "each test uses what it needs")]
pub struct Recorder {
    pub output: Vec<Vec<u8>>,
    pub disk: Vec<u8>,
    /// What the share answers; the message itself if nothing.
    pub answer: Option<Vec<u8>>,
    /// Takes no output.
    pub full: bool,
}

#[allow(dead_code, reason = "each test uses what it needs")]
impl Recorder {
    pub fn text(&self, port: usize) -> String {
        self.output.get(port).map_or_else(String::new, |b| String::from_utf8_lossy(b).into())
    }
}

impl Host for Recorder {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        if self.output.len() <= port {
            self.output.resize(port + 1, Vec::new());
        }
        self.output[port].extend_from_slice(bytes);
    }

    fn console_takes(&mut self, _port: usize) -> bool {
        !self.full
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        let at = offset as usize;
        into.copy_from_slice(self.disk.get(at..at + into.len()).ok_or(ReadFailed)?);
        Ok(())
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(4);
    }

    fn share(&mut self, index: usize, request: &[u8], reply: &mut Vec<u8>) {
        assert_eq!((index, reply.len()), (0, 0));
        reply.extend_from_slice(self.answer.as_deref().unwrap_or(request));
    }
}
