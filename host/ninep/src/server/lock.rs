//! Advisory locks: the messages around `locks`.

use super::{Result, Server};
use crate::limits::MAX_CLIENT_NAME;
use crate::locks::{Kind, Owner, Range};
use crate::message::Lock;
use crate::protocol::lock as number;
use crate::wire::Reply;
use rustix::io::Errno;

impl Server {
    /// Locks or unlocks. Linux has asked its own table already; it sleeps and asks again when a lock is
    /// blocked and the program wants to wait, and fails with `EAGAIN` when not.
    pub(super) fn lock(&mut self, fid: u32, lock: &Lock<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let open = self.fids.get(fid)?;
        let file = open.identity;
        open.opened().ok_or(Errno::BADF)?;
        let (owner, range) = (self.owner(lock)?, Range::new(lock.start, lock.length)?);
        let done = match kind(lock.kind)? {
            Some(kind) => self.locks().lock(file, fid, owner, kind, range)?,
            None => {
                self.locks().unlock(file, &owner, range)?;
                true
            }
        };
        reply.u8(if done { number::SUCCESS } else { number::BLOCKED });
        Ok(())
    }

    /// Says which lock stands against this one, or that none does.
    pub(super) fn getlock(
        &mut self,
        fid: u32,
        lock: &Lock<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let file = self.fids.get(fid)?.identity;
        let (owner, range) = (self.owner(lock)?, Range::new(lock.start, lock.length)?);
        let kind = kind(lock.kind)?.ok_or(Errno::INVAL)?;
        let locks = self.locks();
        let Some(other) = locks.against(file, &owner, kind, range) else {
            reply.u8(number::UNLOCK);
            reply.u64(lock.start);
            reply.u64(lock.length);
            reply.u32(lock.process);
            return reply.text(lock.client);
        };
        reply.u8(match other.kind {
            Kind::Shared => number::SHARED,
            Kind::Exclusive => number::EXCLUSIVE,
        });
        reply.u64(other.range.first);
        reply.u64(other.range.length());
        reply.u32(other.owner.process);
        reply.text(&other.owner.client)
    }

    fn owner(&self, lock: &Lock<'_>) -> Result<Owner> {
        if lock.client.len() > MAX_CLIENT_NAME {
            return Err(Errno::NAMETOOLONG);
        }
        let client = lock.client.to_vec();
        Ok(Owner { connection: self.connection, client, process: lock.process })
    }
}

/// A kind of lock, or none to unlock.
fn kind(kind: u8) -> Result<Option<Kind>> {
    match kind {
        number::SHARED => Ok(Some(Kind::Shared)),
        number::EXCLUSIVE => Ok(Some(Kind::Exclusive)),
        number::UNLOCK => Ok(None),
        _ => Err(Errno::INVAL),
    }
}
