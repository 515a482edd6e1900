//! One guest's connection: what each message does.
//!
//! Called once for each message, by whoever runs the machine. Messages are answered one after another and
//! none is under way in between, so there is never one to flush.

mod change;
mod guarded;
mod lock;
mod names;
mod open;
mod walk;

use crate::fids::Fids;
use crate::folder::Folder;
use crate::guard::Guard;
use crate::limits::{MAX_MESSAGE, MIN_MESSAGE};
use crate::locks::Locks;
use crate::message::Request;
use crate::name::Name;
use crate::protocol::{HEADER, NO_TAG, UNKNOWN_VERSION, VERSION};
use crate::wire::Reply;
use crate::{Export, OpenError};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Result<T> = std::result::Result<T, Errno>;

/// A connection.
#[derive(Debug)]
pub struct Server {
    folder: Arc<Folder>,
    locks: Arc<Mutex<Locks>>,
    guard: Option<Arc<dyn Guard>>,
    /// This connection among those of the folder.
    connection: u64,
    fids: Fids,
    /// Bytes of the longest message, once that is agreed.
    agreed: Option<u32>,
}

impl Server {
    /// Serves a folder to one guest. For several guests of one folder see [`Export`].
    ///
    /// # Errors
    /// As of [`Export::open`].
    pub fn new(folder: &std::path::Path) -> std::result::Result<Self, OpenError> {
        Export::open(folder).map(|export| export.server())
    }

    pub(crate) fn connect(
        folder: Arc<Folder>,
        locks: Arc<Mutex<Locks>>,
        guard: Option<Arc<dyn Guard>>,
    ) -> Self {
        let connection = locks.lock().unwrap_or_else(PoisonError::into_inner).connect();
        Self { folder, locks, guard, connection, fids: Fids::default(), agreed: None }
    }

    /// Answers one message. `reply` is overwritten with the whole answer, which is never longer than
    /// what was agreed ([`MAX_MESSAGE`] at most). It returns without waiting for anybody but the host's
    /// file system.
    pub fn handle(&mut self, request: &[u8], reply: &mut Vec<u8>) {
        let mut answer = Reply::new(reply);
        let Some(&[a, b, c, d, kind, tag_low, tag_high]) = request.first_chunk() else {
            return answer.finish(0, NO_TAG, Err(Errno::PROTO));
        };
        let tag = u16::from_le_bytes([tag_low, tag_high]);
        let size = u32::from_le_bytes([a, b, c, d]);
        let result = match request.get(HEADER..) {
            Some(content) if size as usize == request.len() && size <= self.longest() => {
                Request::parse(kind, content).and_then(|request| self.act(request, &mut answer))
            }
            _ => Err(Errno::PROTO),
        };
        if matches!(result, Err(Errno::MFILE | Errno::NFILE)) {
            // This one has failed; the next one has descriptors.
            self.fids.let_all_go();
        }
        answer.finish(kind, tag, result);
    }

    fn longest(&self) -> u32 {
        self.agreed.unwrap_or(MIN_MESSAGE)
    }

    fn act(&mut self, request: Request<'_>, reply: &mut Reply<'_>) -> Result<()> {
        if self.agreed.is_none() && !matches!(request, Request::Version { .. }) {
            return Err(Errno::PROTO);
        }
        match request {
            Request::Version { size, version } => self.version(size, version, reply),
            Request::Flush => Ok(()),
            Request::Attach { fid, auth, name } => self.attach(fid, auth, name, reply),
            Request::Walk { fid, new, names } => self.walk(fid, new, &names, reply),
            Request::Clunk { fid } => self.clunk(fid),
            Request::Getattr { fid } => self.getattr(fid, reply),
            Request::Setattr { fid, change } => self.setattr(fid, &change),
            Request::Statfs { fid } => self.statfs(fid, reply),
            Request::Open { fid, flags } => self.open(fid, flags, reply),
            Request::Create { fid, name, flags, mode } => {
                self.create(fid, Name::new(name)?, flags, mode, reply)
            }
            Request::Read { fid, offset, count } => self.read(fid, offset, count, reply),
            Request::Write { fid, offset, data } => self.write(fid, offset, data, reply),
            Request::Readdir { fid, offset, count } => self.readdir(fid, offset, count, reply),
            Request::Fsync { fid, data_only } => self.fsync(fid, data_only),
            Request::Remove { fid } => self.remove(fid),
            Request::Mkdir { fid, name, mode } => self.mkdir(fid, Name::new(name)?, mode, reply),
            Request::Mknod { fid, name, mode } => self.mknod(fid, Name::new(name)?, mode, reply),
            Request::Symlink { fid, name, target } => {
                self.symlink(fid, Name::new(name)?, target, reply)
            }
            Request::Readlink { fid } => self.readlink(fid, reply),
            Request::Link { directory, fid, name } => self.link(directory, fid, Name::new(name)?),
            Request::Rename { fid, directory, name } => {
                self.rename(fid, directory, Name::new(name)?)
            }
            Request::Renameat { old, old_name, new, new_name } => {
                self.renameat((old, Name::new(old_name)?), (new, Name::new(new_name)?))
            }
            Request::Unlinkat { fid, name, flags } => self.unlinkat(fid, Name::new(name)?, flags),
            Request::Lock { fid, lock } => self.lock(fid, &lock, reply),
            Request::Getlock { fid, lock } => self.getlock(fid, &lock, reply),
        }
    }

    /// Agrees on a version, which ends everything that was before.
    fn version(&mut self, size: u32, version: &[u8], reply: &mut Reply<'_>) -> Result<()> {
        if size < MIN_MESSAGE {
            return Err(Errno::INVAL);
        }
        self.fids = Fids::default();
        self.locks().end_connection(self.connection);
        let size = size.min(MAX_MESSAGE);
        let known = version == VERSION;
        self.agreed = known.then_some(size);
        reply.u32(size);
        reply.text(if known { VERSION } else { UNKNOWN_VERSION })
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&mut self, fid: u32) -> Result<Arc<OwnedFd>> {
        self.fids.node(&self.folder, fid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.locks().end_connection(self.connection);
    }
}
