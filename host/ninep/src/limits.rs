//! What a guest may have. Each number is a bound on the host's memory, descriptors or time.

/// The longest message, and what is offered to a client that asks for more: Linux's virtio transport
/// goes up to 500 KiB, and one message at a time is in memory.
pub const MAX_MESSAGE: u32 = 512 << 10;

/// The shortest longest message: what Linux asks for at least, and room for every answer that is not
/// data.
pub const MIN_MESSAGE: u32 = 4096;

/// Fids of one guest. Linux has one for each name that it remembers, which without a cache are those in
/// use; each has a path of at most [`MAX_PATH`] bytes, so all of them are at most 64 MiB.
pub const MAX_FIDS: usize = 16_384;

/// Fids that are open for reading and writing, each with a descriptor of the host's process.
pub const MAX_OPEN: usize = 4_096;

/// Fids that are not open and have a descriptor all the same. What is beyond is found again by its path,
/// and is then the same file or none. A process has often no more than 1,024 descriptors.
pub const MAX_HELD: usize = 256;

/// Locked ranges of all guests of a folder, which are searched one by one.
pub const MAX_LOCKS: usize = 4_096;

/// Bytes of the name that a client gives itself for its locks: that of a host, which has 64 in Linux.
pub const MAX_CLIENT_NAME: usize = 255;

/// Entries below a directory that is moved in one step where there are rules: each is asked about at both
/// ends, which takes some ten microseconds, and the guest's turn goes on that long.
pub const MAX_MOVED: usize = 10_000;

/// Names in one walk: the protocol's own number.
pub const MAX_WALK: usize = 16;

/// Bytes of a name: Linux's own number.
pub const MAX_NAME: usize = 255;

/// Bytes of a path from the folder, and of what a symbolic link says: Linux's own number without the
/// zero at the end.
pub const MAX_PATH: usize = 4_095;
