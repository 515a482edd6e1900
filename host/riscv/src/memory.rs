//! The guest's memory: one flat array of bytes, and the decoded code that was made from it.
//!
//! Used by the hart for what misses the TLB, by devices for every transfer, and by the host to load
//! images. The only way to write to memory goes through here or through a store table of the TLB, which
//! never holds a page with decoded code; so decoded code cannot go stale. Every access is bounded: an
//! address that is not memory is `None`, whatever its size.

use crate::cpu::code::Code;
use alloc::vec;
use alloc::vec::Vec;

/// Where memory begins in the physical address space, as on QEMU's `virt` machine.
pub const BASE: u64 = 0x8000_0000;

/// The memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Decoded code.
    pub(crate) code: Code,
}

impl Memory {
    /// That many bytes of zeros, rounded down to whole pages.
    pub fn new(size: usize) -> Self {
        let pages = size / 4096;
        Self { bytes: vec![0; pages * 4096], code: Code::new(pages) }
    }

    /// Bytes of memory.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The offset of a physical range, if all of it is memory.
    #[inline]
    pub fn offset(&self, address: u64, size: usize) -> Option<usize> {
        let at = usize::try_from(address.checked_sub(BASE)?).ok()?;
        (at.checked_add(size)? <= self.bytes.len()).then_some(at)
    }

    /// A physical range.
    pub fn get(&self, address: u64, size: usize) -> Option<&[u8]> {
        let at = self.offset(address, size)?;
        self.bytes.get(at..at + size)
    }

    /// Copies bytes to a physical address.
    pub fn put(&mut self, address: u64, from: &[u8]) -> Option<()> {
        self.fill(address, from.len(), |to| to.copy_from_slice(from))
    }

    /// Lets somebody write a physical range in place.
    pub fn fill<R>(
        &mut self,
        address: u64,
        size: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> Option<R> {
        let at = self.offset(address, size)?;
        self.code.written(at, size);
        Some(write(self.bytes.get_mut(at..at + size)?))
    }

    /// A little-endian number of 1, 2, 4 or 8 bytes.
    pub fn load(&self, address: u64, size: usize) -> Option<u64> {
        let mut value = [0; 8];
        value.get_mut(..size)?.copy_from_slice(self.get(address, size)?);
        Some(u64::from_le_bytes(value))
    }

    /// Stores the low bytes of a number.
    pub fn store(&mut self, address: u64, size: usize, value: u64) -> Option<()> {
        self.put(address, value.to_le_bytes().get(..size)?)
    }
}
