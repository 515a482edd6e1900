//! The same rules for a folder that a machine mounts.
//!
//! Programs of a machine reach the workspace by messages of 9p, and `ninep` asks at each of them. There is
//! nobody to ask a question in the middle of a system call: what a rule asks about is refused there, unless
//! it is remembered as allowed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use approvals::Access;

use crate::guard::{Guard, Inner};

/// The rules on paths as they hold in a served folder.
struct Share {
    inner: Arc<Inner>,
    /// Where the folder is on the host; `None`: it is none of the guest's directories.
    folder: Option<PathBuf>,
}

impl Guard {
    /// The rules for the directory that the guest knows by this name, like `/workspace`, when it is
    /// served to a machine. `None`: there are no rules on paths, and nothing needs to be asked.
    pub fn of_share(&self, guest: &str) -> Option<Arc<dyn ninep::Guard>> {
        let inner = self.inner()?.clone();
        let folder = inner.folder(guest).map(Path::to_owned);
        Some(Arc::new(Share { inner, folder }))
    }
}

impl Share {
    fn check(&self, path: &Path, access: Access) -> Option<()> {
        let folder = self.folder.as_deref()?;
        let place = if path.as_os_str().is_empty() { folder.to_owned() } else { folder.join(path) };
        let mut names = Vec::new();
        // A name that is not text can be in no rule, and is refused as everywhere else.
        self.inner.names(&place, access, &mut names).ok()?;
        let approvals = self.inner.approvals();
        names.iter().try_for_each(|(name, access)| approvals.check_path_unasked(*access, name).ok())
    }
}

impl ninep::Guard for Share {
    fn may(&self, path: &Path, access: ninep::Access) -> bool {
        let access = match access {
            ninep::Access::Read => Access::Read,
            ninep::Access::Write => Access::Write,
        };
        self.check(path, access).is_some()
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("folder", &self.folder).finish_non_exhaustive()
    }
}
