//! The files below a directory, for `grep` and `find`: sorted, without what git ignores, without
//! following links.

use std::fs::{self, DirEntry};
use std::ops::ControlFlow;
use std::path::Path;

use super::Failure;
use super::ignore::{FILE_MAX_BYTES, Rules};

/// Entries that one search looks at; a larger tree is searched in parts.
const ENTRIES_MAX: usize = 100_000;
/// Directories inside each other: no project comes near, and each takes stack.
const DEPTH_MAX: usize = 64;
/// git's own files are never what is sought.
const GIT: &str = ".git";

/// One file or directory.
pub struct Found<'a> {
    /// Relative to the directory that was searched.
    pub name: &'a str,
    pub path: &'a Path,
    pub directory: bool,
}

/// How a walk ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// The visitor had enough.
    Enough,
    /// The tree is larger than one search.
    TooLarge,
    Cancelled,
}

/// Calls `visit` for everything below `root`. What cannot be read is left out.
pub fn walk(
    root: &Path,
    interrupted: &mut dyn FnMut() -> bool,
    visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<End, Failure> {
    let metadata = fs::metadata(root).map_err(|e| Failure::io("search there", &e))?;
    if !metadata.is_dir() {
        return Err("this is a file, not a directory".into());
    }
    let mut walk = Walk { seen: 0, rules: Rules::default(), interrupted, visit };
    Ok(match walk.directory(root, "", 0) {
        ControlFlow::Continue(()) => End::Whole,
        ControlFlow::Break(end) => end,
    })
}

struct Walk<'a> {
    seen: usize,
    rules: Rules,
    interrupted: &'a mut dyn FnMut() -> bool,
    visit: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, name: &str, depth: usize) -> ControlFlow<End> {
        if (self.interrupted)() {
            return ControlFlow::Break(End::Cancelled);
        }
        let Ok(entries) = fs::read_dir(path) else { return ControlFlow::Continue(()) };
        let mut entries: Vec<DirEntry> = entries.flatten().collect();
        entries.sort_by_key(DirEntry::file_name);
        let outer = self.rules.len();
        if let Ok(bytes) = fs::read(path.join(".gitignore"))
            && bytes.len() <= FILE_MAX_BYTES
        {
            self.rules.add(name, &String::from_utf8_lossy(&bytes));
        }
        for entry in entries {
            self.entry(&entry, name, depth)?;
        }
        self.rules.forget(outer);
        ControlFlow::Continue(())
    }

    fn entry(&mut self, entry: &DirEntry, above: &str, depth: usize) -> ControlFlow<End> {
        self.seen += 1;
        if self.seen > ENTRIES_MAX {
            return ControlFlow::Break(End::TooLarge);
        }
        let own = entry.file_name();
        let own = own.to_string_lossy();
        let Ok(kind) = entry.file_type() else { return ControlFlow::Continue(()) };
        if own == GIT || kind.is_symlink() {
            return ControlFlow::Continue(());
        }
        let name = if above.is_empty() { own.into_owned() } else { format!("{above}/{own}") };
        if self.rules.ignore(&name, kind.is_dir()) {
            return ControlFlow::Continue(());
        }
        let path = entry.path();
        let found = Found { name: &name, path: &path, directory: kind.is_dir() };
        if (self.visit)(found).is_break() {
            return ControlFlow::Break(End::Enough);
        }
        if kind.is_dir() && depth < DEPTH_MAX {
            self.directory(&path, &name, depth + 1)?;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let mut names = Vec::new();
        let mut visit = |found: Found| {
            names.push(format!("{}{}", found.name, if found.directory { "/" } else { "" }));
            ControlFlow::Continue(())
        };
        assert_eq!(walk(root, &mut || false, &mut visit), Ok(End::Whole));
        names
    }

    #[test]
    fn everything_but_what_git_ignores_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["b/x.rs", "b/y.log", "a.txt", ".git/config", "c/target/z", "c/k"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::write(root.join(".gitignore"), "*.log\n").unwrap();
        fs::write(root.join("c/.gitignore"), "/target\n").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("loop")).unwrap();
        let expected = [".gitignore", "a.txt", "b/", "b/x.rs", "c/", "c/.gitignore", "c/k"];
        assert_eq!(names(root), expected);
    }

    #[test]
    fn a_walk_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        let mut visit = |_: Found| ControlFlow::Break(());
        assert_eq!(walk(folder.path(), &mut || false, &mut visit), Ok(End::Enough));
        assert_eq!(walk(folder.path(), &mut || true, &mut visit), Ok(End::Cancelled));
        assert!(walk(&folder.path().join("a"), &mut || false, &mut visit).is_err());
    }
}
