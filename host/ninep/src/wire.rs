//! Bytes of messages: little-endian numbers, and texts with their length in two bytes before them.
//!
//! Used by `message` for requests and by `server` for answers. It must never read beyond a message or
//! make one longer than was agreed.

use crate::protocol::{HEADER, kind};
use rustix::io::Errno;

type Result<T> = std::result::Result<T, Errno>;

/// Takes a request apart.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// What follows the header.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(size).ok_or(Errno::PROTO)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Errno::PROTO)
    }

    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn text(&mut self) -> Result<&'a [u8]> {
        let size = self.u16()?;
        self.take(size.into())
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Errno::PROTO) }
    }
}

/// Which file something is, to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qid {
    /// 0x80 for a directory, 2 for a symbolic link.
    pub kind: u8,
    /// Another one when the file changed.
    pub version: u32,
    /// The same as long as it is the same file, and no other's.
    pub path: u64,
}

/// Puts an answer together, behind its header.
#[derive(Debug)]
pub struct Reply<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Reply<'a> {
    /// An answer without content.
    pub fn new(bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        bytes.resize(HEADER, 0);
        Self { bytes }
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A text; all that are answered came in a message or are names or paths of the host, so they fit.
    pub fn text(&mut self, text: &[u8]) -> Result<()> {
        self.u16(u16::try_from(text.len()).map_err(|_| Errno::NAMETOOLONG)?);
        self.bytes.extend_from_slice(text);
        Ok(())
    }

    pub fn qid(&mut self, qid: Qid) {
        self.u8(qid.kind);
        self.u32(qid.version);
        self.u64(qid.path);
    }

    /// Data whose length stands in four bytes before it: `fill` gets room for `size` bytes, and says how
    /// many of them it filled.
    pub fn data(
        &mut self,
        size: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize>,
    ) -> Result<()> {
        let at = self.bytes.len();
        self.bytes.resize(at + 4 + size, 0);
        let (count, room) = self.bytes[at..].split_at_mut(4);
        let filled = fill(room)?.min(size);
        count.copy_from_slice(&(filled as u32).to_le_bytes());
        self.bytes.truncate(at + 4 + filled);
        Ok(())
    }

    /// The same for what `write` puts into the answer itself.
    pub fn sized(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let at = self.bytes.len();
        self.u32(0);
        write(self)?;
        let size = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
        Ok(())
    }

    /// Finishes an answer to a request of that type, or makes it one about an error.
    pub fn finish(self, request: u8, tag: u16, result: Result<()>) {
        let answer = match result {
            Ok(()) => request.wrapping_add(1),
            Err(error) => {
                self.bytes.truncate(HEADER);
                self.bytes.extend_from_slice(&error.raw_os_error().to_le_bytes());
                kind::ERROR_REPLY
            }
        };
        let size = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&size.to_le_bytes());
        self.bytes[4] = answer;
        self.bytes[5..HEADER].copy_from_slice(&tag.to_le_bytes());
    }
}
