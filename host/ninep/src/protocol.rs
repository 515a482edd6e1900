//! The numbers of 9P2000.L, as Linux has them in `include/net/9p/9p.h`.

/// The only version that is spoken.
pub const VERSION: &[u8] = b"9P2000.L";
/// What is answered to any other.
pub const UNKNOWN_VERSION: &[u8] = b"unknown";

/// No tag: that of the message that agrees on a version.
pub const NO_TAG: u16 = !0;
/// No fid.
pub const NO_FID: u32 = !0;

/// Size, type and tag of every message.
pub const HEADER: usize = 7;

/// Header and count before the data of a read, of a list, and of a write.
pub const READ_HEADER: u32 = HEADER as u32 + 4;

/// Types of requests; the answer's is one more.
pub mod kind {
    pub const ERROR_REPLY: u8 = 7;
    pub const STATFS: u8 = 8;
    pub const LOPEN: u8 = 12;
    pub const LCREATE: u8 = 14;
    pub const SYMLINK: u8 = 16;
    pub const MKNOD: u8 = 18;
    pub const RENAME: u8 = 20;
    pub const READLINK: u8 = 22;
    pub const GETATTR: u8 = 24;
    pub const SETATTR: u8 = 26;
    pub const READDIR: u8 = 40;
    pub const FSYNC: u8 = 50;
    pub const LOCK: u8 = 52;
    pub const GETLOCK: u8 = 54;
    pub const LINK: u8 = 70;
    pub const MKDIR: u8 = 72;
    pub const RENAMEAT: u8 = 74;
    pub const UNLINKAT: u8 = 76;
    pub const VERSION: u8 = 100;
    pub const ATTACH: u8 = 104;
    pub const FLUSH: u8 = 108;
    pub const WALK: u8 = 110;
    pub const READ: u8 = 116;
    pub const WRITE: u8 = 118;
    pub const CLUNK: u8 = 120;
    pub const REMOVE: u8 = 122;
}

/// Flags of opening. They are Linux's on most processors, whatever the host's are.
pub mod open {
    pub const ACCESS: u32 = 0o3;
    pub const READ_ONLY: u32 = 0;
    pub const WRITE_ONLY: u32 = 0o1;
    pub const READ_WRITE: u32 = 0o2;
    pub const EXCLUSIVE: u32 = 0o200;
    pub const TRUNCATE: u32 = 0o1000;
    pub const APPEND: u32 = 0o2000;
    pub const DSYNC: u32 = 0o10_000;
    pub const DIRECTORY: u32 = 0o200_000;
    pub const SYNC: u32 = 0o4_000_000;
}

/// What a change of attributes changes.
pub mod set {
    pub const MODE: u32 = 0x1;
    pub const SIZE: u32 = 0x8;
    pub const ATIME: u32 = 0x10;
    pub const MTIME: u32 = 0x20;
    pub const ATIME_SET: u32 = 0x80;
    pub const MTIME_SET: u32 = 0x100;
}

/// The attributes that are answered: all but creation time, generation and data version.
pub const BASIC_ATTRIBUTES: u64 = 0x7ff;

/// The flag of a removal that means a directory.
pub const REMOVE_DIRECTORY: u32 = 0x200;

/// Kinds of locks, and how asking for one ends.
pub mod lock {
    pub const SHARED: u8 = 0;
    pub const EXCLUSIVE: u8 = 1;
    pub const UNLOCK: u8 = 2;

    pub const SUCCESS: u8 = 0;
    pub const BLOCKED: u8 = 1;
}

/// What a file system says it is: Linux's number for 9p.
pub const FILE_SYSTEM: u32 = 0x0102_1997;
