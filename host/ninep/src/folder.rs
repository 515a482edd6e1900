//! The folder: every system call that looks a name up is made here or with a descriptor from here.
//!
//! Used by `fids` and `server`. It must never look up more than names that `name` checked, follow a
//! link, or open what is neither a file nor a directory: opening a FIFO waits, opening a device acts.
//!
//! Two ways lead to a file. By names from a descriptor: `openat2` with `RESOLVE_BENEATH`,
//! `RESOLVE_NO_SYMLINKS` and `RESOLVE_NO_MAGICLINKS` (Linux 5.6). Where that call is missing, or a
//! sandbox around the host forbids it, one name after another with `O_NOFOLLOW`, which comes to the same
//! since each is one entry. And by a descriptor that there is, through `/proc/self/fd`: the link there is
//! the kernel's own and leads to that very file, whatever its name is by now.

use crate::OpenError;
use crate::name::{Name, Path};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, Stat, Timestamps,
};
use rustix::io::Errno;
use rustix::path::DecInt;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Errno>;

/// How a name becomes a descriptor that stands for the file and opens nothing.
const HANDLE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// For every opening: nothing waits, nothing becomes the host's terminal, no child inherits.
const ALWAYS: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Which file something is, on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

impl Identity {
    pub fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

/// Whether the kernel looks paths up beneath a directory.
#[derive(Clone, Copy, Debug)]
enum Lookup {
    Beneath,
    NameByName,
}

/// The folder.
#[derive(Debug)]
pub struct Folder {
    root: Arc<OwnedFd>,
    identity: Identity,
    /// `/proc/self/fd`.
    descriptors: OwnedFd,
    lookup: Lookup,
}

impl Folder {
    /// Opens it; links on the way to it are the user's own and followed.
    pub fn open(path: &std::path::Path) -> std::result::Result<Self, OpenError> {
        let failed =
            |error: Errno| OpenError::Folder { folder: path.to_owned(), source: error.into() };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(failed)?;
        let identity = Identity::of(&rustix::fs::fstat(&root).map_err(failed)?);
        let descriptors = rustix::fs::openat(CWD, "/proc/self/fd", flags, Mode::empty())
            .map_err(|_| OpenError::Proc)?;
        let system = rustix::fs::fstatfs(&descriptors).map_err(|_| OpenError::Proc)?;
        if system.f_type != PROC_SUPER_MAGIC {
            return Err(OpenError::Proc);
        }
        let lookup = match rustix::fs::openat2(&root, ".", HANDLE, Mode::empty(), BENEATH) {
            Ok(_) => Lookup::Beneath,
            Err(Errno::NOSYS | Errno::PERM) => Lookup::NameByName,
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { root: Arc::new(root), identity, descriptors, lookup })
    }

    pub fn root(&self) -> &Arc<OwnedFd> {
        &self.root
    }

    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// An entry of a directory. `NOTDIR` if that is none.
    pub fn entry(&self, directory: BorrowedFd<'_>, name: Name<'_>) -> Result<OwnedFd> {
        self.look_up(directory, name.bytes())
    }

    fn look_up(&self, directory: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd> {
        match self.lookup {
            Lookup::Beneath => rustix::fs::openat2(directory, path, HANDLE, Mode::empty(), BENEATH),
            Lookup::NameByName => rustix::fs::openat(directory, path, HANDLE, Mode::empty()),
        }
    }

    /// What is at a path now.
    pub fn find(&self, path: &Path) -> Result<Arc<OwnedFd>> {
        if path.is_root() { Ok(self.root.clone()) } else { self.find_from(self.root.as_fd(), path) }
    }

    /// What is at the end of a way from a directory now.
    pub fn find_from(&self, directory: BorrowedFd<'_>, way: &Path) -> Result<Arc<OwnedFd>> {
        match self.lookup {
            Lookup::Beneath => self.look_up(directory, way.bytes()).map(Arc::new),
            Lookup::NameByName => {
                let step = |at: Option<OwnedFd>, name: &[u8]| {
                    let at = at.as_ref().map_or(directory, OwnedFd::as_fd);
                    self.entry(at, Name::new(name)?).map(Some)
                };
                way.names().try_fold(None, step)?.map(Arc::new).ok_or(Errno::INVAL)
            }
        }
    }

    /// Where a descriptor's file is now, as the kernel says; ` (deleted)` may stand behind it.
    pub fn place(&self, node: BorrowedFd<'_>) -> Result<Path> {
        let path = |of| rustix::fs::readlinkat(&self.descriptors, number(of), Vec::new());
        let (root, place) = (path(self.root.as_fd())?, path(node)?);
        let root = root.to_bytes().strip_suffix(b"/").unwrap_or(root.to_bytes());
        match place.to_bytes().strip_prefix(root) {
            Some(b"") => Ok(Path::default()),
            Some([b'/', rest @ ..]) => Ok(Path::from_kernel(rest)),
            // It was moved away, or the folder was.
            _ => Err(Errno::ACCESS),
        }
    }

    /// Opens what a descriptor stands for, which must be a file or a directory.
    pub fn reopen(&self, node: BorrowedFd<'_>, flags: OFlags) -> Result<OwnedFd> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(node)?.st_mode);
        let flags = match kind {
            FileType::RegularFile => flags,
            FileType::Directory => flags | OFlags::DIRECTORY,
            FileType::Symlink => return Err(Errno::LOOP),
            _ => return Err(Errno::NXIO),
        };
        rustix::fs::openat(&self.descriptors, number(node), flags | ALWAYS, Mode::empty())
    }

    /// A descriptor that stands for an open file, for when that is closed.
    pub fn handle(&self, file: BorrowedFd<'_>) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        rustix::fs::openat(&self.descriptors, number(file), flags, Mode::empty())
    }

    /// Makes a new file and opens it. The umask of the host's process does not count: the guest's own
    /// has been applied by the guest.
    pub fn create(
        &self,
        directory: BorrowedFd<'_>,
        name: Name<'_>,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | ALWAYS;
        let file = rustix::fs::openat(directory, name.bytes(), flags, mode)?;
        if Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != mode {
            rustix::fs::fchmod(&file, mode)?;
        }
        Ok(file)
    }

    /// Changes permissions.
    pub fn set_mode(&self, node: BorrowedFd<'_>, mode: Mode) -> Result<()> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(node)?.st_mode);
        if kind == FileType::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        rustix::fs::chmodat(&self.descriptors, number(node), mode, AtFlags::empty())
    }

    /// Changes times.
    pub fn set_times(&self, node: BorrowedFd<'_>, times: &Timestamps) -> Result<()> {
        rustix::fs::utimensat(&self.descriptors, number(node), times, AtFlags::empty())
    }

    /// Makes a further name of a file.
    pub fn link(
        &self,
        node: BorrowedFd<'_>,
        directory: BorrowedFd<'_>,
        name: Name<'_>,
    ) -> Result<()> {
        let flags = AtFlags::SYMLINK_FOLLOW;
        rustix::fs::linkat(&self.descriptors, number(node), directory, name.bytes(), flags)
    }
}

/// The name of a descriptor in `/proc/self/fd`.
fn number(descriptor: BorrowedFd<'_>) -> DecInt {
    DecInt::new(descriptor.as_raw_fd())
}
