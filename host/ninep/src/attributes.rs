//! What the guest sees of a file: its identity, its kind, its numbers.
//!
//! Used by `server` and `listing`.

use crate::folder::Identity;
use crate::message::Change;
use crate::protocol::{self, set};
use crate::wire::{Qid, Reply};
use rustix::fs::{FileType, Mode, Nsecs, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::Errno;

const DIRECTORY: u8 = 0x80;
const SYMLINK: u8 = 0x02;

/// Permissions that a guest may give. Set-user-id and set-group-id are left out: on the host they would
/// hand out the rights of the user who runs the machine.
const PERMISSIONS: u32 = 0o1777;

/// The permissions in a mode of the protocol.
pub fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & PERMISSIONS)
}

pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// The guest's name for a file. Most files are on the folder's own file system and keep their inode's
/// number; others are told apart by a mark and their device.
pub fn qid_path(file: Identity, root: Identity) -> u64 {
    const OTHER_DEVICE: u64 = 1 << 63;
    if file.device == root.device {
        file.inode
    } else {
        // An odd factor spreads devices over the upper bits, where inodes have few.
        OTHER_DEVICE | file.inode ^ file.device.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

pub fn qid_kind(kind: FileType) -> u8 {
    match kind {
        FileType::Directory => DIRECTORY,
        FileType::Symlink => SYMLINK,
        _ => 0,
    }
}

/// Who a file is and in what state: content and attributes both move the version.
pub fn qid(stat: &Stat, root: Identity) -> Qid {
    let fold = |seconds: u64, nanoseconds: u64| {
        let bits = seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds);
        (bits ^ bits >> 32) as u32
    };
    let modified = fold(stat.st_mtime as u64, stat.st_mtime_nsec);
    let changed = fold(stat.st_ctime as u64, stat.st_ctime_nsec);
    Qid {
        kind: qid_kind(kind(stat)),
        version: modified ^ changed.rotate_left(16),
        path: qid_path(Identity::of(stat), root),
    }
}

/// The content of an answer to `getattr`.
#[allow(clippy::unnecessary_cast, reason = "the width of some numbers is the processor's")]
pub fn write(stat: &Stat, root: Identity, reply: &mut Reply<'_>) {
    reply.u64(protocol::BASIC_ATTRIBUTES);
    reply.qid(qid(stat, root));
    reply.u32(stat.st_mode);
    // Owner and group: root.
    reply.u32(0);
    reply.u32(0);
    reply.u64(stat.st_nlink as u64);
    reply.u64(stat.st_rdev);
    reply.u64(stat.st_size as u64);
    reply.u64(stat.st_blksize as u64);
    reply.u64(stat.st_blocks as u64);
    for (seconds, nanoseconds) in [
        (stat.st_atime, stat.st_atime_nsec),
        (stat.st_mtime, stat.st_mtime_nsec),
        (stat.st_ctime, stat.st_ctime_nsec),
    ] {
        reply.u64(seconds as u64);
        reply.u64(nanoseconds);
    }
    // Creation time, generation and data version: not among the basic attributes.
    for _ in 0..4 {
        reply.u64(0);
    }
}

/// The times that a change sets, if any.
pub fn times(change: &Change) -> Result<Option<Timestamps>, Errno> {
    if change.valid & (set::ATIME | set::MTIME) == 0 {
        return Ok(None);
    }
    Ok(Some(Timestamps {
        last_access: time(change.valid, set::ATIME, set::ATIME_SET, change.atime)?,
        last_modification: time(change.valid, set::MTIME, set::MTIME_SET, change.mtime)?,
    }))
}

fn time(valid: u32, bit: u32, given: u32, time: (u64, u64)) -> Result<Timespec, Errno> {
    let special = |nanoseconds: Nsecs| Timespec { tv_sec: 0, tv_nsec: nanoseconds };
    if valid & bit == 0 {
        return Ok(special(UTIME_OMIT));
    }
    if valid & given == 0 {
        return Ok(special(UTIME_NOW));
    }
    let (seconds, nanoseconds) = time;
    if nanoseconds >= 1_000_000_000 {
        return Err(Errno::INVAL);
    }
    // Seconds before 1970 are negative numbers.
    Ok(Timespec { tv_sec: seconds as i64, tv_nsec: nanoseconds as Nsecs })
}
