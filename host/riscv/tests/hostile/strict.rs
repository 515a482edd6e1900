//! A host that trusts nothing either: it checks what it is asked, keeps a digest of what it was told, and
//! is unreliable in every way that a host may be.

use super::support::rng::Rng;
use riscv::{Host, ReadFailed};

/// The longest chain that a device takes: no request is longer (`riscv::Host::share`).
const MAX_REQUEST: usize = 5 << 20;

#[derive(Clone, Debug)]
pub struct Strict {
    /// Of everything that was said to the host, in order.
    pub digest: u64,
    pub calls: u64,
    pub disk: u64,
    pub ports: usize,
    rng: Rng,
}

impl Strict {
    pub fn new(disk: u64, ports: usize, seed: u64) -> Self {
        Self { digest: 0, calls: 0, disk, ports, rng: Rng(seed) }
    }

    fn note(&mut self, number: u64, bytes: &[u8]) {
        self.calls += 1;
        let start = self.digest.rotate_left(9) ^ number;
        self.digest = bytes.chunks(8).fold(start, |digest, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (digest ^ u64::from_le_bytes(word)).wrapping_mul(0x100_0000_01b3).rotate_left(23)
        });
    }
}

impl Host for Strict {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        assert!(port < self.ports, "output of port {port}");
        self.note(port as u64, bytes);
    }

    fn console_takes(&mut self, port: usize) -> bool {
        assert!(port < self.ports, "asked about port {port}");
        self.rng.below(4) != 0
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        let end = offset.checked_add(into.len() as u64).expect("a range");
        assert!(end <= self.disk, "a read from {offset} to {end}");
        if self.rng.below(8) == 0 {
            return Err(ReadFailed);
        }
        into.fill(offset as u8);
        self.note(offset, &[]);
        Ok(())
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(self.rng.next() as u8);
        self.note(into.len() as u64, &[]);
    }

    fn share(&mut self, index: usize, request: &[u8], reply: &mut Vec<u8>) {
        assert_eq!((index, reply.len()), (0, 0));
        assert!(request.len() <= MAX_REQUEST, "a message of {}", request.len());
        self.note(index as u64, request);
        // Mostly short, so that it fits; sometimes nothing, sometimes far too much.
        let size = match self.rng.below(8) {
            0 => 0,
            1 => self.rng.below(1 << 20),
            _ => 1 + self.rng.below(64),
        };
        reply.resize(size as usize, self.rng.next() as u8);
    }
}
