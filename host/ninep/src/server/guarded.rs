//! What the guard is asked before something is done.
//!
//! A place is where a file is now, as the kernel says, and not only by the names that led to it: others
//! move directories while a guest has hold of what is in them. Where the two differ, both must be
//! allowed, so a fid of something that was moved or removed is no way around a rule.

use super::{Result, Server};
use crate::folder::Folder;
use crate::guard::{Access, Guard};
use crate::limits::MAX_MOVED;
use crate::name::{Name, Path};
use crate::protocol::open as flag;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, OFlags, RawDir};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;

/// What a file is used for that is changed in place.
pub(super) const CHANGED: &[Access] = &[Access::Write];

/// What a file is used for that gets a further or another name: it can be read under that, and is gone
/// or changed by it.
pub(super) const NAMED: &[Access] = &[Access::Read, Access::Write];

/// Bytes of a directory that are asked of the host at once while a move is looked at.
const BATCH: usize = 32 << 10;

/// An entry of a directory that a guest has hold of.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub directory: BorrowedFd<'a>,
    /// Where the directory was when somebody last looked.
    pub known: &'a Path,
    pub name: Name<'a>,
}

/// What opening does. A file can be truncated by opening it for reading, too.
pub(super) fn opening(flags: u32) -> &'static [Access] {
    let changes = flags & flag::TRUNCATE != 0;
    match flags & flag::ACCESS {
        flag::READ_ONLY if !changes => &[Access::Read],
        flag::WRITE_ONLY => CHANGED,
        _ => NAMED,
    }
}

/// The same where the file may have to be made.
pub(super) fn making(flags: u32) -> &'static [Access] {
    match flags & flag::ACCESS {
        flag::WRITE_ONLY => CHANGED,
        _ => NAMED,
    }
}

impl Server {
    /// Whether the file of a fid may be used.
    pub(super) fn check(&mut self, fid: u32, accesses: &[Access]) -> Result<()> {
        let Some(guard) = self.guard.clone() else { return Ok(()) };
        let node = self.node(fid)?;
        let known = &self.fids.get(fid)?.path;
        may(&*guard, &places(&self.folder, node.as_fd(), known)?, accesses)
    }

    /// Whether an entry of a fid's directory may be used.
    pub(super) fn check_entry(
        &mut self,
        fid: u32,
        name: Name<'_>,
        accesses: &[Access],
    ) -> Result<()> {
        let Some(guard) = self.guard.clone() else { return Ok(()) };
        let directory = self.node(fid)?;
        let known = &self.fids.get(fid)?.path;
        let entry = Entry { directory: directory.as_fd(), known, name };
        may(&*guard, &entry.places(&self.folder)?, accesses)
    }

    /// Whether an entry may become another. A move takes everything below along: each of it would be
    /// read and changed where it was, and changed where it goes.
    pub(super) fn check_move(&self, old: Entry<'_>, new: Entry<'_>) -> Result<()> {
        let Some(guard) = self.guard.as_deref() else { return Ok(()) };
        let node = self.folder.entry(old.directory, old.name)?;
        let (olds, news) = (old.places(&self.folder)?, new.places(&self.folder)?);
        may(guard, &olds, NAMED)?;
        may(guard, &news, CHANGED)?;
        if FileType::from_raw_mode(rustix::fs::fstat(&node)?.st_mode) != FileType::Directory {
            return Ok(());
        }
        let beneath = |tops: &[Path], path: &Path| -> Result<Vec<Path>> {
            tops.iter().map(|top| top.below(path)).collect()
        };
        below(&self.folder, node.as_fd(), |path| {
            may(guard, &beneath(&olds, path)?, NAMED)?;
            may(guard, &beneath(&news, path)?, CHANGED)
        })
    }
}

impl Entry<'_> {
    fn places(&self, folder: &Folder) -> Result<Vec<Path>> {
        let places = places(folder, self.directory, self.known)?;
        places.iter().map(|place| place.join(self.name)).collect()
    }
}

fn may(guard: &dyn Guard, places: &[Path], accesses: &[Access]) -> Result<()> {
    let all = places.iter().all(|place| {
        let path = std::path::Path::new(OsStr::from_bytes(place.bytes()));
        accesses.iter().all(|access| guard.may(path, *access))
    });
    if all { Ok(()) } else { Err(Errno::ACCESS) }
}

/// What the kernel writes behind the path of an entry that is no more. A name can end so, too.
const REMOVED: &[u8] = b" (deleted)";

/// Everywhere that a file is taken to be.
fn places(folder: &Folder, node: BorrowedFd<'_>, known: &Path) -> Result<Vec<Path>> {
    let now = folder.place(node)?;
    let before = now.bytes().strip_suffix(REMOVED).map(Path::from_kernel);
    let gone = before.is_some() && rustix::fs::fstat(node)?.st_nlink == 0;
    let mut places = vec![known.clone()];
    let others = [before, (!gone).then_some(now)].into_iter().flatten();
    places.extend(others.filter(|other| other != known));
    Ok(places)
}

/// Calls `check` for everything below a directory, with the way to it from there.
fn below(folder: &Folder, top: BorrowedFd<'_>, check: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let mut pending = vec![Path::default()];
    let mut seen = 0;
    let mut buffer = vec![MaybeUninit::uninit(); BATCH];
    while let Some(way) = pending.pop() {
        let directory = if way.is_root() {
            folder.reopen(top, OFlags::RDONLY)?
        } else {
            folder.reopen(folder.find_from(top, &way)?.as_fd(), OFlags::RDONLY)?
        };
        let mut entries = RawDir::new(&directory, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            seen += 1;
            if seen > MAX_MOVED {
                // Programs that move take this for another file system, and move one by one.
                return Err(Errno::XDEV);
            }
            let name = Name::new(name)?;
            let way = way.join(name)?;
            check(&way)?;
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let node = folder.entry(directory.as_fd(), name)?;
                    FileType::from_raw_mode(rustix::fs::fstat(node)?.st_mode)
                }
                kind => kind,
            };
            if kind == FileType::Directory {
                pending.push(way);
            }
        }
    }
    Ok(())
}
