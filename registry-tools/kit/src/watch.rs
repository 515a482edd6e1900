//! Whether what a run was made of has changed: a component, or the sources of its project. Called by
//! `run --watch`.
//!
//! Files are looked at, not listened to: a project has some dozen files, a look at them takes less
//! than a millisecond, and it sees the same on every file system and with every editor.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::OUTPUT;

/// Between two looks. A person does not notice it; an editor has written its file by then.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A project with more files than this is not one that was made by the kit; the rest is not seen.
const FILES_MAX: usize = 10_000;
/// What tools make, and what is no source.
const SKIPPED: [&str; 6] = [OUTPUT, "target", "node_modules", "packages", "__pycache__", ".git"];

/// A file or a folder, as it was when it was last looked at.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    seen: u64,
}

impl Watched {
    /// What is there now is the beginning.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), seen: look(path) }
    }

    /// Whether it is not as it was; asked again, whether it has changed since.
    pub fn has_changed(&mut self) -> bool {
        let now = look(&self.path);
        std::mem::replace(&mut self.seen, now) != now
    }

    /// Resolves when it has changed and then stood still for a moment, so that nobody builds from
    /// half a file. Cancel-safe.
    pub async fn changed(&mut self) {
        let mut last = self.seen;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = look(&self.path);
            if now == last && now != self.seen {
                self.seen = now;
                return;
            }
            last = now;
        }
    }
}

/// Whether some source in `folder` was changed after the file was made.
pub fn is_newer(folder: &Path, than: &Path) -> bool {
    let Ok(made) = std::fs::metadata(than).and_then(|metadata| metadata.modified()) else {
        return true;
    };
    let mut newer = false;
    visit(folder, &mut FILES_MAX.clone(), &mut |_, metadata| {
        newer |= metadata.modified().is_ok_and(|changed| changed > made);
    });
    newer
}

/// Names, sizes and times of all files, as one number.
fn look(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    visit(path, &mut FILES_MAX.clone(), &mut |path, metadata| {
        (path, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
    });
    hasher.finish()
}

fn visit(path: &Path, left: &mut usize, file: &mut dyn FnMut(&Path, &Metadata)) {
    // Links are not followed: they may lead in circles.
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
    if !metadata.is_dir() {
        *left = left.saturating_sub(1);
        file(path, &metadata);
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if *left > 0 && !SKIPPED.iter().any(|skipped| name == *skipped) {
            visit(&path, left, file);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn sources_count_and_what_tools_make_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::create_dir_all(file("src")).unwrap();
        fs::create_dir_all(file("target")).unwrap();
        fs::write(file("src/lib.rs"), "one").unwrap();
        let mut watched = Watched::new(folder.path());
        assert!(!watched.has_changed());
        fs::write(file("target/made"), "").unwrap();
        assert!(!watched.has_changed(), "made by tools");
        fs::write(file("src/lib.rs"), "longer").unwrap();
        assert!(watched.has_changed());
        assert!(!watched.has_changed(), "told once");
        fs::write(file("src/new.rs"), "").unwrap();
        assert!(watched.has_changed());
        fs::remove_file(file("src/new.rs")).unwrap();
        assert!(watched.has_changed());
    }

    #[tokio::test]
    async fn a_change_wakes_who_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(&path, "one").unwrap();
        let mut watched = Watched::new(&path);
        fs::write(&path, "longer").unwrap();
        watched.changed().await;
        assert!(!watched.has_changed());
    }
}
