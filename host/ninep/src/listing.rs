//! An open directory, read piece by piece.
//!
//! Used by `server`. The place in it is the file system's own cookie, as for a program of the host that
//! reads it: entries that come and go meanwhile neither hide nor repeat others. As long as a client reads
//! on where it stopped nothing is sought, since some file systems count entries from the start when they
//! seek.

use crate::attributes::{qid_kind, qid_path};
use crate::folder::Identity;
use crate::wire::{Qid, Reply};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, RawDir, SeekFrom};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::mem::MaybeUninit;

/// Bytes asked of the host at once: what the C library asks for, too.
const BATCH: usize = 32 << 10;

/// An entry's qid, cookie, type and length of its name.
const ENTRY_HEADER: usize = 24;

#[derive(Debug)]
struct Entry {
    inode: u64,
    cookie: u64,
    kind: FileType,
    name: Vec<u8>,
}

/// An open directory.
#[derive(Debug)]
pub struct Listing {
    directory: OwnedFd,
    identity: Identity,
    root: Identity,
    /// Read from the host and not given out.
    pending: VecDeque<Entry>,
    /// The cookie after which `pending` goes on.
    at: u64,
}

impl Listing {
    /// A directory that was opened for reading.
    pub fn new(directory: OwnedFd, identity: Identity, root: Identity) -> Self {
        Self { directory, identity, root, pending: VecDeque::new(), at: 0 }
    }

    pub fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// Writes as many entries behind the cookie `from` as fit into `room` bytes; 0 is the beginning.
    pub fn read(&mut self, from: u64, room: usize, reply: &mut Reply<'_>) -> Result<(), Errno> {
        if from != self.at || from == 0 {
            self.pending.clear();
            rustix::fs::seek(&self.directory, SeekFrom::Start(from))?;
            self.at = from;
        }
        let mut used = 0;
        loop {
            if self.pending.is_empty() {
                self.refill()?;
            }
            let Some(entry) = self.pending.front() else { return Ok(()) };
            let size = ENTRY_HEADER + entry.name.len();
            if used + size > room {
                // A room for not even one entry must not look like the end.
                return if used == 0 { Err(Errno::INVAL) } else { Ok(()) };
            }
            self.write(entry, reply)?;
            used += size;
            self.at = entry.cookie;
            self.pending.pop_front();
        }
    }

    fn write(&self, entry: &Entry, reply: &mut Reply<'_>) -> Result<(), Errno> {
        let mut inode = entry.inode;
        if entry.name == b".." && self.identity == self.root {
            // What is above the folder does not concern the guest.
            inode = self.root.inode;
        }
        let identity = Identity { device: self.identity.device, inode };
        reply.qid(Qid {
            kind: qid_kind(entry.kind),
            version: 0,
            path: qid_path(identity, self.root),
        });
        reply.u64(entry.cookie);
        reply.u8(number(entry.kind));
        reply.text(&entry.name)
    }

    fn refill(&mut self) -> Result<(), Errno> {
        let mut buffer = [MaybeUninit::uninit(); BATCH];
        let mut entries = RawDir::new(&self.directory, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            self.pending.push_back(Entry {
                inode: entry.ino(),
                cookie: entry.next_entry_cookie(),
                kind: entry.file_type(),
                name: entry.file_name().to_bytes().to_vec(),
            });
            if entries.is_buffer_empty() {
                break;
            }
        }
        Ok(())
    }
}

/// The type of an entry, as Linux numbers it.
fn number(kind: FileType) -> u8 {
    match kind {
        FileType::Fifo => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => 4,
        FileType::BlockDevice => 6,
        FileType::RegularFile => 8,
        FileType::Symlink => 10,
        FileType::Socket => 12,
        FileType::Unknown => 0,
    }
}
