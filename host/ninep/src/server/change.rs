//! Attributes of files and of the file system.

use super::guarded::CHANGED;
use super::{Result, Server};
use crate::attributes;
use crate::fids::Open;
use crate::message::Change;
use crate::protocol::{FILE_SYSTEM, set};
use crate::wire::Reply;
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use rustix::io::Errno;

impl Server {
    pub(super) fn getattr(&mut self, fid: u32, reply: &mut Reply<'_>) -> Result<()> {
        let stat = rustix::fs::fstat(self.node(fid)?)?;
        attributes::write(&stat, self.folder.identity(), reply);
        Ok(())
    }

    /// Changes mode, size and times. A new owner is accepted and forgotten: programs that unpack as
    /// root would fail otherwise, and nobody of the guest's users exists here.
    pub(super) fn setattr(&mut self, fid: u32, change: &Change) -> Result<()> {
        self.check(fid, CHANGED)?;
        let node = self.node(fid)?;
        let times = attributes::times(change)?;
        if change.valid & set::MODE != 0 {
            self.folder.set_mode(node.as_fd(), attributes::permissions(change.mode))?;
        }
        if change.valid & set::SIZE != 0 {
            self.truncate(fid, change.size)?;
        }
        if let Some(times) = times {
            self.folder.set_times(node.as_fd(), &times)?;
        }
        Ok(())
    }

    fn truncate(&mut self, fid: u32, size: u64) -> Result<()> {
        if i64::try_from(size).is_err() {
            return Err(Errno::FBIG);
        }
        // Who has it open for writing may do this even if its mode forbids opening it once more.
        if let Some(Open::File(file)) = self.fids.get(fid)?.opened()
            && rustix::fs::fcntl_getfl(&*file)?.intersects(OFlags::WRONLY | OFlags::RDWR)
        {
            return rustix::fs::ftruncate(&*file, size);
        }
        let node = self.node(fid)?;
        let file = self.folder.reopen(node.as_fd(), OFlags::WRONLY)?;
        rustix::fs::ftruncate(file, size)
    }

    pub(super) fn statfs(&mut self, fid: u32, reply: &mut Reply<'_>) -> Result<()> {
        let system = rustix::fs::fstatvfs(self.node(fid)?)?;
        reply.u32(FILE_SYSTEM);
        reply.u32(u32::try_from(system.f_frsize).unwrap_or(u32::MAX));
        for blocks in [
            system.f_blocks,
            system.f_bfree,
            system.f_bavail,
            system.f_files,
            system.f_ffree,
            system.f_fsid,
        ] {
            reply.u64(blocks);
        }
        reply.u32(u32::try_from(system.f_namemax).unwrap_or(u32::MAX));
        Ok(())
    }
}
