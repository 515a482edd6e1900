//! Requests, as they stand in a message.
//!
//! Used by `server`. It takes bytes apart and judges nothing but that they are a message of its type:
//! what the numbers and names in it mean is for who acts on them.

use crate::limits::MAX_WALK;
use crate::protocol::kind;
use crate::wire::Reader;
use rustix::io::Errno;

/// What a client asks. Fields that nothing depends on (who asks, the group of a new file) are read and
/// left out.
#[derive(Debug)]
pub enum Request<'a> {
    Version { size: u32, version: &'a [u8] },
    Attach { fid: u32, auth: u32, name: &'a [u8] },
    Flush,
    Walk { fid: u32, new: u32, names: Vec<&'a [u8]> },
    Getattr { fid: u32 },
    Setattr { fid: u32, change: Change },
    Statfs { fid: u32 },
    Open { fid: u32, flags: u32 },
    Create { fid: u32, name: &'a [u8], flags: u32, mode: u32 },
    Read { fid: u32, offset: u64, count: u32 },
    Write { fid: u32, offset: u64, data: &'a [u8] },
    Readdir { fid: u32, offset: u64, count: u32 },
    Fsync { fid: u32, data_only: u32 },
    Clunk { fid: u32 },
    Remove { fid: u32 },
    Mkdir { fid: u32, name: &'a [u8], mode: u32 },
    Mknod { fid: u32, name: &'a [u8], mode: u32 },
    Symlink { fid: u32, name: &'a [u8], target: &'a [u8] },
    Readlink { fid: u32 },
    Link { directory: u32, fid: u32, name: &'a [u8] },
    Rename { fid: u32, directory: u32, name: &'a [u8] },
    Renameat { old: u32, old_name: &'a [u8], new: u32, new_name: &'a [u8] },
    Unlinkat { fid: u32, name: &'a [u8], flags: u32 },
    Lock { fid: u32, lock: Lock<'a> },
    Getlock { fid: u32, lock: Lock<'a> },
}

/// New attributes; `valid` says which (`protocol::set`).
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub valid: u32,
    pub mode: u32,
    pub size: u64,
    pub atime: (u64, u64),
    pub mtime: (u64, u64),
}

/// A range and who wants it.
#[derive(Clone, Copy, Debug)]
pub struct Lock<'a> {
    pub kind: u8,
    pub start: u64,
    /// 0 is to the end of the file, however far that moves.
    pub length: u64,
    pub process: u32,
    pub client: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the content of a message of this type.
    ///
    /// # Errors
    /// `OPNOTSUPP` for a type that is not served, `PROTO` for content that is none of that type.
    pub fn parse(request: u8, content: &'a [u8]) -> Result<Self, Errno> {
        let r = &mut Reader::new(content);
        let parsed = match request {
            kind::VERSION => Self::Version { size: r.u32()?, version: r.text()? },
            kind::ATTACH => {
                let (fid, auth, _user, name, _id) =
                    (r.u32()?, r.u32()?, r.text()?, r.text()?, r.u32()?);
                Self::Attach { fid, auth, name }
            }
            kind::FLUSH => {
                r.u16()?;
                Self::Flush
            }
            kind::WALK => {
                let (fid, new, count) = (r.u32()?, r.u32()?, r.u16()?);
                if usize::from(count) > MAX_WALK {
                    return Err(Errno::INVAL);
                }
                let names = (0..count).map(|_| r.text()).collect::<Result<_, _>>()?;
                Self::Walk { fid, new, names }
            }
            kind::GETATTR => {
                let (fid, _mask) = (r.u32()?, r.u64()?);
                Self::Getattr { fid }
            }
            kind::SETATTR => Self::Setattr { fid: r.u32()?, change: change(r)? },
            kind::STATFS => Self::Statfs { fid: r.u32()? },
            kind::LOPEN => Self::Open { fid: r.u32()?, flags: r.u32()? },
            kind::LCREATE => {
                let (fid, name, flags, mode, _group) =
                    (r.u32()?, r.text()?, r.u32()?, r.u32()?, r.u32()?);
                Self::Create { fid, name, flags, mode }
            }
            kind::READ => Self::Read { fid: r.u32()?, offset: r.u64()?, count: r.u32()? },
            kind::WRITE => {
                let (fid, offset, count) = (r.u32()?, r.u64()?, r.u32()?);
                Self::Write { fid, offset, data: r.take(count as usize)? }
            }
            kind::READDIR => Self::Readdir { fid: r.u32()?, offset: r.u64()?, count: r.u32()? },
            kind::FSYNC => Self::Fsync { fid: r.u32()?, data_only: r.u32()? },
            kind::CLUNK => Self::Clunk { fid: r.u32()? },
            kind::REMOVE => Self::Remove { fid: r.u32()? },
            kind::MKDIR => {
                let (fid, name, mode, _group) = (r.u32()?, r.text()?, r.u32()?, r.u32()?);
                Self::Mkdir { fid, name, mode }
            }
            kind::MKNOD => {
                let (fid, name, mode) = (r.u32()?, r.text()?, r.u32()?);
                let (_major, _minor, _group) = (r.u32()?, r.u32()?, r.u32()?);
                Self::Mknod { fid, name, mode }
            }
            kind::SYMLINK => {
                let (fid, name, target, _group) = (r.u32()?, r.text()?, r.text()?, r.u32()?);
                Self::Symlink { fid, name, target }
            }
            kind::READLINK => Self::Readlink { fid: r.u32()? },
            kind::LINK => Self::Link { directory: r.u32()?, fid: r.u32()?, name: r.text()? },
            kind::RENAME => Self::Rename { fid: r.u32()?, directory: r.u32()?, name: r.text()? },
            kind::RENAMEAT => Self::Renameat {
                old: r.u32()?,
                old_name: r.text()?,
                new: r.u32()?,
                new_name: r.text()?,
            },
            kind::UNLINKAT => Self::Unlinkat { fid: r.u32()?, name: r.text()?, flags: r.u32()? },
            kind::LOCK => {
                let (fid, kind, _flags) = (r.u32()?, r.u8()?, r.u32()?);
                Self::Lock { fid, lock: lock(kind, r)? }
            }
            kind::GETLOCK => {
                let (fid, kind) = (r.u32()?, r.u8()?);
                Self::Getlock { fid, lock: lock(kind, r)? }
            }
            _ => return Err(Errno::OPNOTSUPP),
        };
        r.end()?;
        Ok(parsed)
    }
}

fn change(r: &mut Reader<'_>) -> Result<Change, Errno> {
    let (valid, mode, _user, _group) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
    Ok(Change {
        valid,
        mode,
        size: r.u64()?,
        atime: (r.u64()?, r.u64()?),
        mtime: (r.u64()?, r.u64()?),
    })
}

fn lock<'a>(kind: u8, r: &mut Reader<'a>) -> Result<Lock<'a>, Errno> {
    Ok(Lock { kind, start: r.u64()?, length: r.u64()?, process: r.u32()?, client: r.text()? })
}
