//! The data directory, the store in it, and the cache of compiled code.

use std::path::Path;

use super::Check;
use crate::commands::open::{has_store, open_store};
#[cfg(unix)]
use crate::commands::output::size;
use crate::paths::Paths;

/// Below this no run should begin: the store and compiled code of a few harnesses need that much.
#[cfg(unix)]
const SPACE_MIN_BYTES: u64 = 64 << 20;
/// Below this a local model does not fit any more.
#[cfg(unix)]
const SPACE_LOW_BYTES: u64 = 1 << 30;

pub fn checks(paths: &Paths) -> Vec<Check> {
    // Conversations and notes are this user's; compiled code that others could write would be run
    // as this user.
    let mut checks = vec![
        folder("data directory", &paths.data, Private::ToRead),
        store(&paths.data),
        folder("compiled code", &paths.compiled(), Private::ToWrite),
    ];
    #[cfg(unix)]
    checks.extend(space(paths));
    checks
}

/// What only the owner of a folder shall be able to do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Private {
    ToRead,
    ToWrite,
}

impl Private {
    /// The mode's bits that must not be set, and what they let others do.
    fn forbids(self) -> (u32, &'static str) {
        match self {
            Self::ToRead => (0o077, "others may read there"),
            Self::ToWrite => (0o022, "others may write there"),
        }
    }
}

/// Whether this user can write there, and nobody else do what is private.
fn folder(what: &'static str, path: &Path, private: Private) -> Check {
    let shown = path.display();
    if !path.exists() {
        // The folder will be made in the nearest one that exists.
        let existing = path.ancestors().find(|path| path.exists());
        return match existing.filter(|path| path.is_dir() && is_writable(path)) {
            Some(_) => Check::ok(what, format!("{shown}, made by the first run")),
            None => Check::fail(what, format!("{shown} cannot be made")).hint(permit(existing)),
        };
    }
    if !path.is_dir() {
        return Check::fail(what, format!("{shown} is no folder"))
            .hint("move it away, or name another folder");
    }
    if !is_writable(path) {
        return Check::fail(what, format!("{shown} cannot be written")).hint(permit(Some(path)));
    }
    let (forbidden, others) = private.forbids();
    match mode(path) {
        Some(mode) if mode & forbidden != 0 => {
            Check::warn(what, format!("{shown}, mode {mode:03o}: {others}"))
                .hint(format!("chmod 700 {shown}"))
        }
        Some(mode) => Check::ok(what, format!("{shown}, mode {mode:03o}")),
        None => Check::ok(what, shown.to_string()),
    }
}

fn permit(path: Option<&Path>) -> String {
    match path {
        Some(path) => {
            format!("allow this user to write {}, or name another folder", path.display())
        }
        None => "name another folder".to_owned(),
    }
}

/// The store is opened as a run would do it, which brings it to this program's version.
fn store(data: &Path) -> Check {
    const WHAT: &str = "store";
    if !has_store(data) {
        return Check::ok(WHAT, "made by the first run");
    }
    match open_store(data) {
        Ok(_) => Check::ok(WHAT, "opens, and has this program's version"),
        Err(error) => {
            // The outermost error only names the directory, which is in the line above.
            let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
            Check::fail(WHAT, causes.join(": "))
                .hint("name another data directory with `--data-dir`, or restore a copy")
        }
    }
}

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|folder| !folder.permissions().readonly())
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata(path).ok()?.mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Free space below both folders; once where it is the same file system.
#[cfg(unix)]
fn space(paths: &Paths) -> Vec<Check> {
    use std::os::unix::fs::MetadataExt as _;
    let existing = |path: &Path| path.ancestors().find(|path| path.exists()).map(Path::to_path_buf);
    let mut seen = Vec::new();
    let mut checks = Vec::new();
    for path in [&paths.data, &paths.cache].into_iter().filter_map(|path| existing(path)) {
        let (Ok(folder), Ok(system)) = (std::fs::metadata(&path), rustix::fs::statvfs(&path))
        else {
            continue;
        };
        if seen.contains(&folder.dev()) {
            continue;
        }
        seen.push(folder.dev());
        checks.push(free(&path, system.f_bavail.saturating_mul(system.f_frsize)));
    }
    checks
}

#[cfg(unix)]
fn free(path: &Path, bytes: u64) -> Check {
    const WHAT: &str = "disk space";
    let found = format!("{} free at {}", size(bytes), path.display());
    match bytes {
        0..SPACE_MIN_BYTES => Check::fail(WHAT, found).hint("make room"),
        SPACE_MIN_BYTES..SPACE_LOW_BYTES => {
            Check::warn(WHAT, found).hint("make room before you add a local model")
        }
        _ => Check::ok(WHAT, found),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn folders_that_others_may_use_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        for (mode, private, verdict) in [
            (0o700, Private::ToRead, Verdict::Ok),
            (0o750, Private::ToRead, Verdict::Warn),
            (0o755, Private::ToWrite, Verdict::Ok),
            (0o775, Private::ToWrite, Verdict::Warn),
            (0o777, Private::ToWrite, Verdict::Warn),
        ] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let check = folder("data directory", path, private);
            assert_eq!(check.verdict, verdict, "{check:?}");
            assert!(check.found.contains(&format!("mode {mode:03o}")), "{check:?}");
            assert_eq!(check.hint.is_some(), verdict == Verdict::Warn, "{check:?}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let verdict = |path: &Path| folder("data directory", path, Private::ToRead).verdict;
        assert_eq!(verdict(&path), Verdict::Ok);
        assert!(!dir.path().join("a").exists());
        fs::write(dir.path().join("a"), "").unwrap();
        assert_eq!(verdict(&path), Verdict::Fail);
        assert_eq!(verdict(&dir.path().join("a")), Verdict::Fail);
    }

    #[test]
    fn little_space_is_told() {
        let verdict = |bytes| free(Path::new("/data"), bytes).verdict;
        assert_eq!(verdict(0), Verdict::Fail);
        assert_eq!(verdict(SPACE_MIN_BYTES), Verdict::Warn);
        assert_eq!(verdict(SPACE_LOW_BYTES), Verdict::Ok);
    }
}
