//! Advisory locks of all guests of a folder.
//!
//! Used by `server`; one table for each [`crate::Export`]. Linux asks its own table first, so what comes
//! here was granted among the processes of one guest and may still stand against another guest's. Programs
//! of the host do not see these locks, nor the guests theirs: a lock of the host's kernel belongs to a
//! process, and all guests are one process.
//!
//! Nobody waits here. A client that wants to wait is told that it is blocked and asks again.

use crate::folder::Identity;
use crate::limits::MAX_LOCKS;
use rustix::io::Errno;

/// Who holds a lock: a process of a client, on one of the folder's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub connection: u64,
    pub client: Vec<u8>,
    pub process: u32,
}

/// Shared locks stand beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Shared,
    Exclusive,
}

/// Bytes of a file, the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
}

impl Range {
    /// A range as the protocol has it: a length of 0 is to the end, however far that moves.
    pub fn new(start: u64, length: u64) -> Result<Self, Errno> {
        let last = match length.checked_sub(1) {
            None => u64::MAX,
            Some(beyond) => start.checked_add(beyond).ok_or(Errno::OVERFLOW)?,
        };
        Ok(Self { first: start, last })
    }

    /// The length as the protocol has it.
    pub fn length(self) -> u64 {
        if self.last == u64::MAX { 0 } else { self.last - self.first + 1 }
    }

    fn touches(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A lock that is held.
#[derive(Clone, Debug)]
pub struct Lock {
    pub owner: Owner,
    pub kind: Kind,
    pub range: Range,
    file: Identity,
    /// Through which fid of the connection: its end is the lock's end.
    fid: u32,
}

/// The table.
#[derive(Debug, Default)]
pub struct Locks {
    held: Vec<Lock>,
    connections: u64,
}

impl Locks {
    /// A number for a new connection.
    pub fn connect(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// The first lock that stands against this one.
    pub fn against(
        &self,
        file: Identity,
        owner: &Owner,
        kind: Kind,
        range: Range,
    ) -> Option<&Lock> {
        self.held
            .iter()
            .filter(|lock| lock.file == file && lock.owner != *owner && lock.range.touches(range))
            .filter(|lock| kind == Kind::Exclusive || lock.kind == Kind::Exclusive)
            .min_by_key(|lock| lock.range.first)
    }

    /// Locks, or says by `false` that another lock stands against it. What the owner had of the range
    /// before becomes this lock, as POSIX wants it.
    pub fn lock(
        &mut self,
        file: Identity,
        fid: u32,
        owner: Owner,
        kind: Kind,
        range: Range,
    ) -> Result<bool, Errno> {
        if self.against(file, &owner, kind, range).is_some() {
            return Ok(false);
        }
        // A range in the middle of another makes three of one.
        if self.held.len() + 2 > MAX_LOCKS {
            return Err(Errno::NOLCK);
        }
        self.unlock(file, &owner, range)?;
        self.held.push(Lock { owner, kind, range, file, fid });
        Ok(true)
    }

    /// Gives a range up. What the owner has on both sides of it stays.
    pub fn unlock(&mut self, file: Identity, owner: &Owner, range: Range) -> Result<(), Errno> {
        let mut sides = Vec::new();
        let concerned =
            |lock: &Lock| lock.file == file && lock.owner == *owner && lock.range.touches(range);
        for lock in self.held.iter().filter(|lock| concerned(lock)) {
            if lock.range.first < range.first {
                let range = Range { last: range.first - 1, ..lock.range };
                sides.push(Lock { range, ..lock.clone() });
            }
            if lock.range.last > range.last {
                let range = Range { first: range.last + 1, ..lock.range };
                sides.push(Lock { range, ..lock.clone() });
            }
        }
        if self.held.len() + sides.len() > MAX_LOCKS {
            return Err(Errno::NOLCK);
        }
        self.held.retain(|lock| !concerned(lock));
        self.held.append(&mut sides);
        Ok(())
    }

    /// A fid ended, and with it what was locked through it.
    pub fn end_fid(&mut self, connection: u64, fid: u32) {
        self.held.retain(|lock| lock.owner.connection != connection || lock.fid != fid);
    }

    /// A connection ended.
    pub fn end_connection(&mut self, connection: u64) {
        self.held.retain(|lock| lock.owner.connection != connection);
    }
}
