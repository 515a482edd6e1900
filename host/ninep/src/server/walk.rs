//! Getting hold of files and letting them go: attach, walk, clunk.

use super::{Result, Server};
use crate::attributes;
use crate::fids::Fid;
use crate::folder::Identity;
use crate::name::{Name, Path};
use crate::protocol::NO_FID;
use crate::wire::{Qid, Reply};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

impl Server {
    /// Hands out the folder. There is nobody to authenticate: the connection is the guest.
    pub(super) fn attach(
        &mut self,
        fid: u32,
        auth: u32,
        name: &[u8],
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        if auth != NO_FID {
            return Err(Errno::OPNOTSUPP);
        }
        if !matches!(name, b"" | b"/") {
            return Err(Errno::NOENT);
        }
        if fid == NO_FID || self.fids.contains(fid) {
            return Err(Errno::BADF);
        }
        let root = self.folder.root().clone();
        let stat = rustix::fs::fstat(&root)?;
        self.fids.insert(fid, Fid::new(Path::default(), Identity::of(&stat), root))?;
        reply.qid(attributes::qid(&stat, self.folder.identity()));
        Ok(())
    }

    /// Goes from a fid by names to what `new` stands for then. Without names `new` is the same file. A
    /// way that breaks off answers as far as it came, and makes no fid.
    pub(super) fn walk(
        &mut self,
        fid: u32,
        new: u32,
        names: &[&[u8]],
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let mut node = self.node(fid)?;
        let start = self.fids.get(fid)?;
        let (mut path, mut identity) = (start.path.clone(), start.identity);
        let taken = if fid == new { start.opened().is_some() } else { self.fids.contains(new) };
        if taken || new == NO_FID {
            return Err(Errno::BADF);
        }
        let mut qids = Vec::with_capacity(names.len());
        for name in names {
            match self.step(&node, &path, name) {
                Ok(step) => {
                    (node, path, identity) = (step.node, step.path, step.identity);
                    qids.push(step.qid);
                }
                Err(error) if qids.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        if qids.len() == names.len() {
            self.fids.insert(new, Fid::new(path, identity, node))?;
        }
        reply.u16(qids.len() as u16);
        qids.into_iter().for_each(|qid| reply.qid(qid));
        Ok(())
    }

    fn step(&self, node: &OwnedFd, path: &Path, name: &[u8]) -> Result<Step> {
        let (node, path) = match name {
            b".." => {
                // Upwards is a way of its own, from the folder down: from below, the way up could lead
                // out of it. Above the folder is the folder.
                let path = path.split().map_or_else(Path::default, |(above, _)| above);
                (self.folder.find(&path)?, path)
            }
            name => {
                let name = Name::new(name)?;
                let path = path.join(name)?;
                (Arc::new(self.folder.entry(node.as_fd(), name)?), path)
            }
        };
        let stat = rustix::fs::fstat(&node)?;
        let qid = attributes::qid(&stat, self.folder.identity());
        Ok(Step { node, path, identity: Identity::of(&stat), qid })
    }

    /// Lets a file go, and what was locked through it.
    pub(super) fn clunk(&mut self, fid: u32) -> Result<()> {
        self.fids.remove(fid).ok_or(Errno::BADF)?;
        self.locks().end_fid(self.connection, fid);
        Ok(())
    }
}

/// Where one name led.
struct Step {
    node: Arc<OwnedFd>,
    path: Path,
    identity: Identity,
    qid: Qid,
}
