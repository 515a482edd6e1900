//! Split virtqueues: what the driver put in memory, read with suspicion.
//!
//! Used by every model. Addresses, lengths, indices and links all come from the guest: each is checked
//! where it is used, a chain is never longer than the queue, and what is wrong breaks the queue. A chain
//! is read once and copied, so that a guest that changes it meanwhile changes nothing.
//!
//! VIRTIO 1.2, section 2.7 "Split Virtqueues". Indirect descriptors and event indices are not offered.

use crate::memory::Memory;
use alloc::vec::Vec;

/// The largest queue that a driver may make.
pub const MAX_SIZE: u16 = 256;

/// The most bytes that the descriptors of one chain may name in total: four times what Linux asks of a
/// disk at once (1280 KiB), and little enough to be copied in a millisecond.
pub const MAX_CHAIN_BYTES: u64 = 5 << 20;

const NEXT: u64 = 1;
const WRITE: u64 = 2;
const INDIRECT: u64 = 4;
const NO_INTERRUPT: u64 = 1;

/// The driver broke the rules of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// A buffer in guest memory that was checked to lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Physical address.
    pub address: u64,
    /// Bytes.
    pub size: usize,
}

/// A request: buffers to read, then buffers to write.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    head: u16,
    /// What the driver hands over.
    pub readable: Vec<Buffer>,
    /// What it wants filled.
    pub writable: Vec<Buffer>,
}

impl Chain {
    /// All bytes of the readable buffers.
    pub fn read(&self, memory: &Memory) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        for buffer in &self.readable {
            bytes.extend_from_slice(memory.get(buffer.address, buffer.size).ok_or(Broken)?);
        }
        Ok(bytes)
    }

    /// The first bytes of the readable buffers, at most `size`: what is behind is not looked at, however
    /// much it is.
    pub fn read_start(&self, memory: &Memory, size: usize) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        for buffer in &self.readable {
            let wanted = buffer.size.min(size - bytes.len());
            bytes.extend_from_slice(memory.get(buffer.address, wanted).ok_or(Broken)?);
        }
        Ok(bytes)
    }

    /// Bytes that fit in the writable buffers.
    pub fn capacity(&self) -> usize {
        self.writable.iter().map(|buffer| buffer.size).sum()
    }

    /// Copies bytes into the writable buffers as far as they fit; returns how many did.
    pub fn write(&self, memory: &mut Memory, bytes: &[u8]) -> Result<usize, Broken> {
        scatter(&self.writable, memory, bytes)
    }
}

/// Copies bytes into buffers as far as they fit; returns how many did.
pub fn scatter(buffers: &[Buffer], memory: &mut Memory, mut bytes: &[u8]) -> Result<usize, Broken> {
    let all = bytes.len();
    for buffer in buffers {
        let (now, later) = bytes.split_at(bytes.len().min(buffer.size));
        memory.put(buffer.address, now).ok_or(Broken)?;
        bytes = later;
    }
    Ok(all - bytes.len())
}

/// One queue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Whether the driver finished setting it up.
    pub ready: bool,
    size: u16,
    descriptors: u64,
    available: u64,
    used: u64,
    next_available: u16,
    next_used: u16,
    interrupt: bool,
    /// Descriptors read since the last time that somebody asked.
    walked: u64,
}

impl Queue {
    /// Writes one of the queue's registers. Once it is ready its place and size are fixed.
    pub(super) fn configure(&mut self, offset: u64, value: u32) {
        if offset == 0x044 {
            let sound = self.size.is_power_of_two() && self.size <= MAX_SIZE;
            if value == 0 {
                *self = Self::default();
            } else {
                self.ready = sound;
            }
            return;
        }
        if self.ready {
            return;
        }
        let low = |old: u64| old & !0xffff_ffff | u64::from(value);
        let high = |old: u64| old & 0xffff_ffff | u64::from(value) << 32;
        match offset {
            0x038 => self.size = u16::try_from(value).unwrap_or(0),
            0x080 => self.descriptors = low(self.descriptors),
            0x084 => self.descriptors = high(self.descriptors),
            0x090 => self.available = low(self.available),
            0x094 => self.available = high(self.available),
            0x0a0 => self.used = low(self.used),
            0x0a4 => self.used = high(self.used),
            _ => {}
        }
    }

    /// Whether the driver should be interrupted; asks once.
    pub(super) fn take_interrupt(&mut self) -> bool {
        core::mem::take(&mut self.interrupt)
    }

    /// How many descriptors were read since the last call: chains of empty buffers cost something, too.
    pub(super) fn take_walked(&mut self) -> u64 {
        core::mem::take(&mut self.walked)
    }

    /// Whether a request waits.
    pub fn waiting(&self, memory: &Memory) -> Result<bool, Broken> {
        if !self.ready {
            return Ok(false);
        }
        let index = load(memory, self.available, 2, 2)? as u16;
        let waiting = index.wrapping_sub(self.next_available);
        if waiting > self.size {
            return Err(Broken);
        }
        Ok(waiting != 0)
    }

    /// The next request, if one waits.
    pub fn next(&mut self, memory: &Memory) -> Result<Option<Chain>, Broken> {
        if !self.waiting(memory)? {
            return Ok(None);
        }
        let slot = u64::from(self.next_available % self.size);
        let head = load(memory, self.available, 4 + 2 * slot, 2)? as u16;
        let chain = self.chain(memory, head)?;
        self.next_available = self.next_available.wrapping_add(1);
        Ok(Some(chain))
    }

    fn chain(&mut self, memory: &Memory, head: u16) -> Result<Chain, Broken> {
        let mut chain = Chain { head, ..Chain::default() };
        let mut index = head;
        let mut bytes = 0;
        for _ in 0..self.size {
            if index >= self.size {
                return Err(Broken);
            }
            self.walked += 1;
            let at = 16 * u64::from(index);
            let address = load(memory, self.descriptors, at, 8)?;
            let size = load(memory, self.descriptors, at + 8, 4)?;
            let flags = load(memory, self.descriptors, at + 12, 2)?;
            bytes += size;
            let size = size as usize;
            let inside = memory.offset(address, size).is_some();
            if !inside || bytes > MAX_CHAIN_BYTES || flags & INDIRECT != 0 {
                return Err(Broken);
            }
            let buffer = Buffer { address, size };
            if flags & WRITE != 0 {
                chain.writable.push(buffer);
            } else if chain.writable.is_empty() {
                chain.readable.push(buffer);
            } else {
                return Err(Broken);
            }
            if flags & NEXT == 0 {
                return Ok(chain);
            }
            index = load(memory, self.descriptors, at + 14, 2)? as u16;
        }
        Err(Broken)
    }

    /// Gives a request back with that many bytes written.
    pub fn finish(
        &mut self,
        memory: &mut Memory,
        chain: &Chain,
        written: usize,
    ) -> Result<(), Broken> {
        let slot = u64::from(self.next_used % self.size);
        let at = self.used.checked_add(4 + 8 * slot).ok_or(Broken)?;
        let entry = u64::from(chain.head) | (written as u64) << 32;
        memory.store(at, 8, entry).ok_or(Broken)?;
        self.next_used = self.next_used.wrapping_add(1);
        memory.store(self.used + 2, 2, self.next_used.into()).ok_or(Broken)?;
        self.interrupt |= load(memory, self.available, 0, 2)? & NO_INTERRUPT == 0;
        Ok(())
    }
}

fn load(memory: &Memory, base: u64, offset: u64, size: usize) -> Result<u64, Broken> {
    let address = base.checked_add(offset).ok_or(Broken)?;
    memory.load(address, size).ok_or(Broken)
}
