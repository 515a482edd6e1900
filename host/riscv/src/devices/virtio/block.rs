//! A read-only disk whose content the host holds.
//!
//! Writes fail, and the device says from the start that it is read-only. Ranges beyond the capacity fail
//! here; the host never hears of them.
//!
//! VIRTIO 1.2, section 5.2 "Block Device".

use super::Work;
use super::queue::{Broken, Buffer, Chain, scatter};
use alloc::vec::Vec;

/// Device type.
pub const ID: u32 = 2;

/// Bytes of a sector.
pub const SECTOR: u64 = 512;

const SEG_MAX: u64 = 1 << 2;
const RO: u64 = 1 << 5;
/// What the device offers.
pub const FEATURES: u64 = SEG_MAX | RO;

/// Data buffers of a request: the largest queue without header and status.
const MAX_SEGMENTS: u32 = super::queue::MAX_SIZE as u32 - 2;

const HEADER: usize = 16;
const READ: u32 = 0;
const WRITE: u32 = 1;
const FLUSH: u32 = 4;
const GET_ID: u32 = 8;

const OK: u8 = 0;
const IO_ERROR: u8 = 1;
const UNSUPPORTED: u8 = 2;

/// What `GET_ID` answers, padded with zeros.
const NAME: &[u8; 20] = b"root\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The device.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    sectors: u64,
}

impl Block {
    /// A disk of that many bytes, rounded down to sectors.
    pub fn new(bytes: u64) -> Self {
        Self { sectors: bytes / SECTOR }
    }

    pub(super) fn config(&self) -> Vec<u8> {
        let mut config = self.sectors.to_le_bytes().to_vec();
        config.extend_from_slice(&0u32.to_le_bytes());
        config.extend_from_slice(&MAX_SEGMENTS.to_le_bytes());
        config
    }

    pub(super) fn work(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        while let Some(chain) = work.next(0)? {
            let written = self.request(&chain, work)?;
            work.finish(0, &chain, written)?;
        }
        Ok(())
    }

    /// Answers a request; returns how many bytes were written, the status byte among them.
    fn request(&self, chain: &Chain, work: &mut Work<'_>) -> Result<usize, Broken> {
        let mut data = chain.writable.clone();
        let status = take_last_byte(&mut data).ok_or(Broken)?;
        let header = chain.read_start(work.memory, HEADER)?;
        let header: [u8; HEADER] = header.try_into().map_err(|_| Broken)?;
        let [a, b, c, d, _, _, _, _, sector @ ..] = header;
        let (kind, sector) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(sector));
        let (result, written) = match kind {
            READ => self.read(&data, sector, work)?,
            FLUSH => (OK, 0),
            GET_ID => (OK, scatter(&data, work.memory, NAME)?),
            WRITE => (IO_ERROR, 0),
            _ => (UNSUPPORTED, 0),
        };
        work.memory.put(status, &[result]).ok_or(Broken)?;
        work.moved += written as u64;
        Ok(written + 1)
    }

    fn read(
        &self,
        data: &[Buffer],
        sector: u64,
        work: &mut Work<'_>,
    ) -> Result<(u8, usize), Broken> {
        let bytes: u64 = data.iter().map(|buffer| buffer.size as u64).sum();
        let end = bytes.div_ceil(SECTOR).checked_add(sector);
        if !bytes.is_multiple_of(SECTOR) || end.is_none_or(|end| end > self.sectors) {
            return Ok((IO_ERROR, 0));
        }
        let mut offset = sector * SECTOR;
        for buffer in data {
            let read = work
                .memory
                .fill(buffer.address, buffer.size, |into| work.host.disk_read(offset, into))
                .ok_or(Broken)?;
            if read.is_err() {
                return Ok((IO_ERROR, 0));
            }
            offset += buffer.size as u64;
        }
        Ok((OK, bytes as usize))
    }
}

/// Takes the last byte off the buffers: its address.
fn take_last_byte(buffers: &mut Vec<Buffer>) -> Option<u64> {
    while buffers.last().is_some_and(|last| last.size == 0) {
        buffers.pop();
    }
    let last = buffers.last_mut()?;
    last.size -= 1;
    Some(last.address + last.size as u64)
}
