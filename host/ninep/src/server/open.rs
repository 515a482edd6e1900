//! Contents: opening, reading, writing, listing, syncing.

use super::guarded::{making, opening};
use super::{Result, Server};
use crate::attributes;
use crate::fids::{Fid, Open};
use crate::folder::Identity;
use crate::listing::Listing;
use crate::name::Name;
use crate::protocol::{READ_HEADER, open as flag};
use crate::wire::Reply;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, OFlags, Stat};
use rustix::io::Errno;
use std::sync::Arc;

impl Server {
    pub(super) fn open(&mut self, fid: u32, flags: u32, reply: &mut Reply<'_>) -> Result<()> {
        self.check(fid, opening(flags))?;
        let node = self.node(fid)?;
        if self.fids.get(fid)?.opened().is_some() {
            return Err(Errno::BADF);
        }
        self.fids.may_open()?;
        let file = self.folder.reopen(node.as_fd(), host_flags(flags)?)?;
        let stat = rustix::fs::fstat(&file)?;
        let open = if attributes::kind(&stat) == FileType::Directory {
            Open::Directory(Listing::new(file, Identity::of(&stat), self.folder.identity()))
        } else {
            Open::File(file)
        };
        self.fids.set_open(fid, open)?;
        self.opened(&stat, reply);
        Ok(())
    }

    /// Makes a file in a directory and opens it; the directory's fid is the file's from then on. A file
    /// that is there is opened, unless the client wants a new one.
    pub(super) fn create(
        &mut self,
        fid: u32,
        name: Name<'_>,
        flags: u32,
        mode: u32,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        self.check_entry(fid, name, making(flags))?;
        let directory = self.node(fid)?;
        let entry = self.fids.get(fid)?;
        if entry.opened().is_some() {
            return Err(Errno::BADF);
        }
        let path = entry.path.join(name)?;
        self.fids.may_open()?;
        let wanted = host_flags(flags & !flag::DIRECTORY)?;
        let mode = attributes::permissions(mode);
        let file = match self.folder.create(directory.as_fd(), name, wanted, mode) {
            Err(Errno::EXIST) if flags & flag::EXCLUSIVE == 0 => {
                let node = self.folder.entry(directory.as_fd(), name)?;
                self.existing(&node, wanted)?
            }
            made => made?,
        };
        let stat = rustix::fs::fstat(&file)?;
        let node = Arc::new(self.folder.handle(file.as_fd())?);
        self.fids.insert(fid, Fid::new(path, Identity::of(&stat), node))?;
        self.fids.set_open(fid, Open::File(file))?;
        self.opened(&stat, reply);
        Ok(())
    }

    fn existing(&self, node: &OwnedFd, wanted: OFlags) -> Result<OwnedFd> {
        if attributes::kind(&rustix::fs::fstat(node)?) == FileType::Directory {
            return Err(Errno::ISDIR);
        }
        self.folder.reopen(node.as_fd(), wanted)
    }

    fn opened(&self, stat: &Stat, reply: &mut Reply<'_>) {
        reply.qid(attributes::qid(stat, self.folder.identity()));
        // No size of its own for reads and writes: as much as a message holds.
        reply.u32(0);
    }

    pub(super) fn read(
        &mut self,
        fid: u32,
        offset: u64,
        count: u32,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let size = count.min(self.longest() - READ_HEADER) as usize;
        let file = self.file(fid)?;
        reply.data(size, |room| {
            // Until the file ends: a client takes a short answer for the end.
            let mut filled = 0;
            while filled < room.len() {
                let at = offset.checked_add(filled as u64).ok_or(Errno::INVAL)?;
                match rustix::io::pread(file, &mut room[filled..], at) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(Errno::INTR) => {}
                    Err(_) if filled > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(filled)
        })
    }

    pub(super) fn write(
        &mut self,
        fid: u32,
        offset: u64,
        data: &[u8],
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let file = self.file(fid)?;
        let written = loop {
            match rustix::io::pwrite(file, data, offset) {
                Err(Errno::INTR) => {}
                result => break result?,
            }
        };
        reply.u32(written as u32);
        Ok(())
    }

    fn file(&mut self, fid: u32) -> Result<&OwnedFd> {
        match self.fids.get(fid)?.opened() {
            Some(Open::File(file)) => Ok(file),
            Some(Open::Directory(_)) => Err(Errno::ISDIR),
            None => Err(Errno::BADF),
        }
    }

    pub(super) fn readdir(
        &mut self,
        fid: u32,
        offset: u64,
        count: u32,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let room = count.min(self.longest() - READ_HEADER) as usize;
        match self.fids.get(fid)?.opened() {
            Some(Open::Directory(listing)) => {
                reply.sized(|reply| listing.read(offset, room, reply))
            }
            Some(Open::File(_)) => Err(Errno::NOTDIR),
            None => Err(Errno::BADF),
        }
    }

    /// Waits until the host has it on its disk, as the guest's program does.
    pub(super) fn fsync(&mut self, fid: u32, data_only: u32) -> Result<()> {
        let open = self.fids.get(fid)?.opened().ok_or(Errno::BADF)?;
        match data_only {
            0 => rustix::fs::fsync(open.descriptor()),
            _ => rustix::fs::fdatasync(open.descriptor()),
        }
    }
}

/// The host's flags for those of the protocol. What only matters to the guest's kernel, or would make
/// demands on the host's (direct access), is left out.
fn host_flags(flags: u32) -> Result<OFlags> {
    let access = match flags & flag::ACCESS {
        flag::READ_ONLY => OFlags::RDONLY,
        flag::WRITE_ONLY => OFlags::WRONLY,
        flag::READ_WRITE => OFlags::RDWR,
        _ => return Err(Errno::INVAL),
    };
    let others = [
        (flag::TRUNCATE, OFlags::TRUNC),
        (flag::APPEND, OFlags::APPEND),
        (flag::DSYNC, OFlags::DSYNC),
        (flag::SYNC, OFlags::SYNC),
        (flag::DIRECTORY, OFlags::DIRECTORY),
    ];
    Ok(others.iter().filter(|(bit, _)| flags & bit != 0).fold(access, |all, (_, flag)| all | *flag))
}
