//! Entries of directories: made, linked, moved, removed.

use super::guarded::{CHANGED, Entry, NAMED};
use super::{Result, Server};
use crate::attributes;
use crate::folder::Identity;
use crate::limits::MAX_PATH;
use crate::name::Name;
use crate::protocol::REMOVE_DIRECTORY;
use crate::wire::Reply;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;
use std::sync::Arc;

impl Server {
    pub(super) fn mkdir(
        &mut self,
        fid: u32,
        name: Name<'_>,
        mode: u32,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        self.check_entry(fid, name, CHANGED)?;
        let directory = self.node(fid)?;
        let mode = attributes::permissions(mode);
        rustix::fs::mkdirat(&directory, name.bytes(), mode)?;
        self.made(&directory, name, Some(mode), reply)
    }

    /// Makes a file, a FIFO or a socket. The last two are names in a directory to the host and never
    /// opened by it; the guest's kernel is what stands behind them there. A device would be one to the
    /// host as well.
    pub(super) fn mknod(
        &mut self,
        fid: u32,
        name: Name<'_>,
        mode: u32,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let kind = match FileType::from_raw_mode(mode) {
            kind @ (FileType::RegularFile | FileType::Fifo | FileType::Socket) => kind,
            FileType::CharacterDevice | FileType::BlockDevice => return Err(Errno::PERM),
            _ => return Err(Errno::INVAL),
        };
        self.check_entry(fid, name, CHANGED)?;
        let directory = self.node(fid)?;
        let mode = attributes::permissions(mode);
        rustix::fs::mknodat(&directory, name.bytes(), kind, mode, 0)?;
        self.made(&directory, name, Some(mode), reply)
    }

    pub(super) fn symlink(
        &mut self,
        fid: u32,
        name: Name<'_>,
        target: &[u8],
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        if target.len() > MAX_PATH {
            return Err(Errno::NAMETOOLONG);
        }
        self.check_entry(fid, name, CHANGED)?;
        let directory = self.node(fid)?;
        rustix::fs::symlinkat(target, &directory, name.bytes())?;
        self.made(&directory, name, None, reply)
    }

    /// Answers with what was made; its mode is what was asked for, whatever the umask of the host's
    /// process is.
    fn made(
        &self,
        directory: &OwnedFd,
        name: Name<'_>,
        mode: Option<Mode>,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let node = self.folder.entry(directory.as_fd(), name)?;
        let mut stat = rustix::fs::fstat(&node)?;
        if let Some(mode) = mode.filter(|mode| attributes::permissions(stat.st_mode) != *mode) {
            self.folder.set_mode(node.as_fd(), mode)?;
            stat = rustix::fs::fstat(&node)?;
        }
        reply.qid(attributes::qid(&stat, self.folder.identity()));
        Ok(())
    }

    pub(super) fn readlink(&mut self, fid: u32, reply: &mut Reply<'_>) -> Result<()> {
        let node = self.node(fid)?;
        if attributes::kind(&rustix::fs::fstat(&node)?) != FileType::Symlink {
            return Err(Errno::INVAL);
        }
        let target = rustix::fs::readlinkat(&node, "", Vec::new())?;
        reply.text(target.to_bytes())
    }

    pub(super) fn link(&mut self, directory: u32, fid: u32, name: Name<'_>) -> Result<()> {
        self.check(fid, NAMED)?;
        self.check_entry(directory, name, CHANGED)?;
        let (directory, node) = (self.node(directory)?, self.node(fid)?);
        self.folder.link(node.as_fd(), directory.as_fd(), name)
    }

    /// The older way to move: by the fid of what is moved.
    pub(super) fn rename(&mut self, fid: u32, directory: u32, name: Name<'_>) -> Result<()> {
        let new = self.node(directory)?;
        let new_known = self.fids.get(directory)?.path.clone();
        let new_path = new_known.join(name)?;
        let (old, old_path) = self.parent(fid)?;
        let (old_known, old_name) = old_path.split().ok_or(Errno::BUSY)?;
        self.check_move(
            Entry { directory: old.as_fd(), known: &old_known, name: old_name },
            Entry { directory: new.as_fd(), known: &new_known, name },
        )?;
        rustix::fs::renameat(&old, old_name.bytes(), &new, name.bytes())?;
        self.fids.moved(&old_path, &new_path);
        Ok(())
    }

    pub(super) fn renameat(&mut self, old: (u32, Name<'_>), new: (u32, Name<'_>)) -> Result<()> {
        let ((old, old_name), (new, new_name)) = (old, new);
        let old_known = self.fids.get(old)?.path.clone();
        let new_known = self.fids.get(new)?.path.clone();
        let (old_path, new_path) = (old_known.join(old_name)?, new_known.join(new_name)?);
        let (old, new) = (self.node(old)?, self.node(new)?);
        self.check_move(
            Entry { directory: old.as_fd(), known: &old_known, name: old_name },
            Entry { directory: new.as_fd(), known: &new_known, name: new_name },
        )?;
        rustix::fs::renameat(&old, old_name.bytes(), &new, new_name.bytes())?;
        self.fids.moved(&old_path, &new_path);
        Ok(())
    }

    pub(super) fn unlinkat(&mut self, fid: u32, name: Name<'_>, flags: u32) -> Result<()> {
        let flags = match flags {
            0 => AtFlags::empty(),
            REMOVE_DIRECTORY => AtFlags::REMOVEDIR,
            _ => return Err(Errno::INVAL),
        };
        self.check_entry(fid, name, CHANGED)?;
        rustix::fs::unlinkat(self.node(fid)?, name.bytes(), flags)
    }

    /// The older way to remove: by the fid, which ends even if nothing is removed.
    pub(super) fn remove(&mut self, fid: u32) -> Result<()> {
        let removed = self.remove_file(fid);
        self.clunk(fid)?;
        removed
    }

    fn remove_file(&mut self, fid: u32) -> Result<()> {
        self.check(fid, CHANGED)?;
        let node = self.node(fid)?;
        let (directory, path) = self.parent(fid)?;
        let (_, name) = path.split().ok_or(Errno::BUSY)?;
        let kind = attributes::kind(&rustix::fs::fstat(node)?);
        let flags = match kind {
            FileType::Directory => AtFlags::REMOVEDIR,
            _ => AtFlags::empty(),
        };
        rustix::fs::unlinkat(directory, name.bytes(), flags)
    }

    /// The directory that a fid's file is in, and its path. The folder itself cannot be moved or
    /// removed. The name must still be that file's: somebody else may have moved it.
    fn parent(&mut self, fid: u32) -> Result<(Arc<OwnedFd>, crate::name::Path)> {
        let fid = self.fids.get(fid)?;
        let (path, identity) = (fid.path.clone(), fid.identity);
        let (directory, name) = path.split().ok_or(Errno::BUSY)?;
        let directory = self.folder.find(&directory)?;
        let node = self.folder.entry(directory.as_fd(), name)?;
        if Identity::of(&rustix::fs::fstat(node)?) != identity {
            return Err(Errno::STALE);
        }
        Ok((directory, path))
    }
}
