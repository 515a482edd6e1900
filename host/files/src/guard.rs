//! Which places may be read and changed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use approvals::{Access, Action, Approvals};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use crate::handle;
use crate::resolve::{Last, resolve};

/// Entries of a directory that is moved: each is checked at both ends. A source tree with its build
/// has fewer, and looking at so many takes a second.
pub const ENTRIES_MAX: usize = 100_000;

/// The rules on paths of one session. Cloning shares them; without any it costs nothing.
#[derive(Debug, Clone)]
pub struct Guard(Option<Arc<Inner>>);

#[derive(Debug)]
pub(crate) struct Inner {
    approvals: Approvals,
    roots: Vec<Root>,
}

/// A directory of the guest.
#[derive(Debug)]
struct Root {
    /// Without links in it.
    host: PathBuf,
    guest: String,
}

/// Why rules on paths cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("rules on paths cannot be kept for {}", path.display())]
pub struct GuardError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// A place and what is done there.
pub(crate) type Use = (PathBuf, Access);

impl Guard {
    /// `roots` are the guest's directories: where they are, and what the guest calls them.
    pub fn new(approvals: &Approvals, roots: &[(&Path, &str)]) -> Result<Self, GuardError> {
        if !approvals.rules().concern_paths() {
            return Ok(Self(None));
        }
        let root = |(path, guest): &(&Path, &str)| {
            let error = |source| GuardError { path: (*path).to_owned(), source };
            // Also finds out whether the system tells where a handle is.
            let host = File::open(path).and_then(|file| handle::path(&file)).map_err(error)?;
            Ok(Root { host, guest: (*guest).to_owned() })
        };
        let roots = roots.iter().map(root).collect::<Result<_, GuardError>>()?;
        Ok(Self(Some(Arc::new(Inner { approvals: approvals.clone(), roots }))))
    }

    /// The rules, if there are any on paths.
    pub(crate) fn inner(&self) -> Option<&Arc<Inner>> {
        self.0.as_ref()
    }

    /// Whether there is nothing to check.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// The place that a guest's path means.
    pub(crate) fn place(
        &self,
        directory: &File,
        path: &str,
        last: Last,
    ) -> Result<PathBuf, ErrorCode> {
        resolve(&handle::path(directory)?, path, last)
    }

    /// Where an open handle is.
    pub(crate) fn at(&self, file: &File) -> Result<PathBuf, ErrorCode> {
        Ok(handle::path(file)?)
    }

    /// Checks all uses of one call; waits for the user where a rule asks.
    pub(crate) async fn check(&self, uses: &[Use]) -> Result<(), ErrorCode> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let mut names = Vec::new();
        for (place, access) in uses {
            inner.names(place, *access, &mut names)?;
        }
        let actions: Vec<_> =
            names.iter().map(|(name, access)| Action::path(*access, name)).collect();
        // The guest has one code for all of it; the user is told the rule.
        inner.approvals.check_all(&actions).await.map_err(|_| ErrorCode::Access)
    }

    /// Whether what was opened is what was checked: somebody else may have changed the directories
    /// in between.
    pub(crate) fn is_at(&self, file: &File, place: &Path) -> bool {
        let folded = |path: &Path| path.as_os_str().to_string_lossy().to_lowercase();
        handle::path(file).is_ok_and(|found| found == place || folded(&found) == folded(place))
    }
}

impl Inner {
    pub(crate) fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// Where the directory is that a guest knows by this name.
    pub(crate) fn folder(&self, guest: &str) -> Option<&Path> {
        self.roots.iter().find(|root| root.guest == guest).map(|root| root.host.as_path())
    }

    /// What a guest calls a place: more than one name when one of its directories lies in another.
    pub(crate) fn names(
        &self,
        place: &Path,
        access: Access,
        names: &mut Vec<(String, Access)>,
    ) -> Result<(), ErrorCode> {
        let before = names.len();
        for root in &self.roots {
            let Ok(below) = place.strip_prefix(&root.host) else { continue };
            let below = below.to_str().ok_or(ErrorCode::IllegalByteSequence)?;
            let name = match below {
                "" => root.guest.clone(),
                below => format!("{}/{below}", root.guest),
            };
            names.push((name, access));
        }
        // The directory was moved away under the guest.
        if names.len() == before { Err(ErrorCode::Access) } else { Ok(()) }
    }
}

/// A move takes everything along: each entry is read and changed where it was, since it can be read
/// under its new name, and changed where it goes.
pub(crate) fn moved(from: &Path, to: &Path) -> Result<Vec<Use>, ErrorCode> {
    let mut uses = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(entry) = pending.pop() {
        let old = below(from, &entry);
        if uses.len() > 3 * ENTRIES_MAX {
            tracing::warn!("a directory with more than {ENTRIES_MAX} entries was not moved");
            return Err(ErrorCode::Access);
        }
        match fs::symlink_metadata(&old) {
            Ok(found) if found.is_dir() => {
                for child in fs::read_dir(&old)? {
                    pending.push(below(&entry, child?.file_name().as_ref()));
                }
            }
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        uses.push((below(to, &entry), Access::Write));
        uses.push((old.clone(), Access::Read));
        uses.push((old, Access::Write));
    }
    Ok(uses)
}

/// `join`, without the slash that it adds for nothing.
fn below(top: &Path, entry: &Path) -> PathBuf {
    if entry.as_os_str() == OsStr::new("") { top.to_owned() } else { top.join(entry) }
}
