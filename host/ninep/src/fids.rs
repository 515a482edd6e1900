//! What a guest has hold of.
//!
//! Used by `server`. A fid stands for one file, not for a name: it stays that file's when the file is
//! moved or removed. It has a descriptor as long as there are few; of many, those that were not used for
//! long are found again by their path, and must then be the same file.

use crate::folder::{Folder, Identity};
use crate::limits::{MAX_FIDS, MAX_HELD, MAX_OPEN};
use crate::listing::Listing;
use crate::name::Path;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Errno>;

/// A fid that is open.
#[derive(Debug)]
pub enum Open {
    File(OwnedFd),
    Directory(Listing),
}

impl Open {
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::File(file) => file.as_fd(),
            Self::Directory(listing) => listing.directory().as_fd(),
        }
    }
}

/// A fid.
#[derive(Debug)]
pub struct Fid {
    pub path: Path,
    pub identity: Identity,
    open: Option<Open>,
    node: Option<Arc<OwnedFd>>,
    /// When it was last used.
    used: u64,
}

impl Fid {
    /// A fid for what this descriptor stands for.
    pub fn new(path: Path, identity: Identity, node: Arc<OwnedFd>) -> Self {
        Self { path, identity, open: None, node: Some(node), used: 0 }
    }

    /// What it is open as.
    pub fn opened(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }
}

/// All fids of a guest.
#[derive(Debug, Default)]
pub struct Fids {
    table: HashMap<u32, Fid>,
    open: usize,
    held: usize,
    clock: u64,
}

impl Fids {
    pub fn get(&mut self, fid: u32) -> Result<&mut Fid> {
        self.table.get_mut(&fid).ok_or(Errno::BADF)
    }

    pub fn contains(&self, fid: u32) -> bool {
        self.table.contains_key(&fid)
    }

    /// Adds a fid, or puts another file behind one that is not open.
    pub fn insert(&mut self, number: u32, mut fid: Fid) -> Result<()> {
        if !self.contains(number) && self.table.len() >= MAX_FIDS {
            return Err(Errno::NFILE);
        }
        self.remove(number);
        self.clock += 1;
        fid.used = self.clock;
        self.held += usize::from(fid.node.is_some());
        self.table.insert(number, fid);
        self.let_go();
        Ok(())
    }

    pub fn remove(&mut self, number: u32) -> Option<Fid> {
        let fid = self.table.remove(&number)?;
        self.held -= usize::from(fid.node.is_some());
        self.open -= usize::from(fid.open.is_some());
        Some(fid)
    }

    /// The descriptor that stands for the fid's file.
    pub fn node(&mut self, folder: &Folder, number: u32) -> Result<Arc<OwnedFd>> {
        self.clock += 1;
        let used = self.clock;
        let fid = self.get(number)?;
        fid.used = used;
        if let Some(node) = &fid.node {
            return Ok(node.clone());
        }
        let node = match &fid.open {
            Some(open) => Arc::new(folder.handle(open.descriptor())?),
            None => folder.find(&fid.path).map_err(|_| Errno::STALE)?,
        };
        if Identity::of(&rustix::fs::fstat(&node)?) != fid.identity {
            return Err(Errno::STALE);
        }
        fid.node = Some(node.clone());
        self.held += 1;
        self.let_go();
        Ok(node)
    }

    /// Whether one more may be open.
    pub fn may_open(&self) -> Result<()> {
        if self.open < MAX_OPEN { Ok(()) } else { Err(Errno::NFILE) }
    }

    /// Makes a fid an open one.
    pub fn set_open(&mut self, number: u32, open: Open) -> Result<()> {
        let fid = self.get(number)?;
        let before = fid.open.replace(open);
        self.open += usize::from(before.is_none());
        Ok(())
    }

    /// What was at `old` is now at `new`, and everything below with it.
    pub fn moved(&mut self, old: &Path, new: &Path) {
        for fid in self.table.values_mut() {
            if let Some(path) = fid.path.moved(old, new) {
                fid.path = path;
            }
        }
    }

    /// Closes descriptors that can be had again, the older half of them, when there are too many.
    fn let_go(&mut self) {
        if self.held <= MAX_HELD {
            return;
        }
        let mut uses: Vec<u64> =
            self.table.values().filter(|fid| fid.node.is_some()).map(|fid| fid.used).collect();
        let middle = uses.len() / 2;
        let newest_to_go = *uses.select_nth_unstable(middle).1;
        self.close_unused_since(newest_to_go);
    }

    /// Closes all descriptors that can be had again: the process has none left.
    pub fn let_all_go(&mut self) {
        self.close_unused_since(self.clock);
    }

    fn close_unused_since(&mut self, newest: u64) {
        for fid in self.table.values_mut().filter(|fid| fid.used <= newest) {
            self.held -= usize::from(fid.node.take().is_some());
        }
    }
}
