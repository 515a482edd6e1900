//! Doing a thing once: a stamp is the hash of everything a result was made from, written beside
//! the result. Every step that takes longer than reading its inputs goes through [`ensure`].
//!
//! A stamp is a cache key, not a security check: whoever can write the cache can forge one.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::say;

/// Folders that are results or caches of other programs, never inputs.
const NOT_SOURCES: [&str; 4] = ["node_modules", "__pycache__", "target", ".git"];

/// Collects what a result is made from, in a fixed order.
#[derive(Clone, Default)]
pub struct Inputs(DefaultHasher);

impl Inputs {
    /// `recipe` names the way the result is made; change it when that changes.
    pub fn new(recipe: &str) -> Self {
        Self::default().text(recipe)
    }

    pub fn text(mut self, text: &str) -> Self {
        text.hash(&mut self.0);
        self
    }

    /// The contents of a file, or of every file below a folder together with their names.
    pub fn path(mut self, path: &Path) -> Result<Self> {
        for file in sources(path)? {
            let bytes =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            file.strip_prefix(path).unwrap_or(&file).hash(&mut self.0);
            bytes.hash(&mut self.0);
        }
        Ok(self)
    }

    pub fn stamp(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// All files below `path` (or `path` itself), sorted, without what is never a source.
pub fn sources(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(path) = open.pop() {
        let cannot = || format!("cannot read {}", path.display());
        if !fs::metadata(&path).with_context(cannot)?.is_dir() {
            files.push(path);
            continue;
        }
        for entry in fs::read_dir(&path).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
                open.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What `output` was made from, as it is now: for results of results.
pub fn of(output: &Path) -> Result<String> {
    let file = stamp_file(output);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Whether `output` is there and was made from what `stamp` stands for.
pub fn is_fresh(output: &Path, stamp: &str) -> bool {
    output.exists() && fs::read_to_string(stamp_file(output)).is_ok_and(|found| found == stamp)
}

/// Makes `output` with `build` unless it is fresh. Callers in other processes that share `lock`
/// wait, and then find it made. A failed build leaves no stamp.
pub fn ensure(
    output: &Path,
    stamp: &str,
    lock: &Path,
    build: impl FnOnce() -> Result<()>,
) -> Result<()> {
    if is_fresh(output, stamp) {
        return Ok(());
    }
    let _held = hold(lock)?;
    if is_fresh(output, stamp) {
        return Ok(());
    }
    let stamp_file = stamp_file(output);
    match fs::remove_file(&stamp_file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", stamp_file.display()));
        }
        _ => {}
    }
    if let Some(parent) = output.parent() {
        create_dir(parent)?;
    }
    build()?;
    anyhow::ensure!(output.exists(), "the step did not make {}", output.display());
    fs::write(&stamp_file, stamp).with_context(|| format!("cannot write {}", stamp_file.display()))
}

/// Takes the lock file at `path`, waiting for other processes; dropping the file frees it.
pub fn hold(path: &Path) -> Result<File> {
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    let file = File::create(path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.try_lock().is_err() {
        say(format_args!("waiting for another xtask that holds {}", path.display()));
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// `create_dir_all` whose error names the folder.
pub fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Removes a folder or file that may not be there.
pub fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn stamp_file(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".stamp");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own per test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            remove(&dir).unwrap();
            create_dir(&dir).unwrap();
            Self(dir)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.join(name);
            create_dir(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn stamp(&self) -> String {
            Inputs::new("test").path(&self.0).unwrap().stamp()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_stamp_follows_names_and_contents_of_sources_only() {
        let dir = Scratch::new("stamp");
        dir.write("src/a.rs", "1");
        let first = dir.stamp();
        dir.write("node_modules/x/index.js", "ignored");
        assert_eq!(dir.stamp(), first);
        dir.write("src/a.rs", "2");
        let second = dir.stamp();
        assert_ne!(second, first);
        fs::rename(dir.0.join("src/a.rs"), dir.0.join("src/b.rs")).unwrap();
        assert_ne!(dir.stamp(), second);
    }

    #[test]
    fn a_stamp_keeps_the_borders_between_texts() {
        let joined = Inputs::new("r").text("ab").text("c").stamp();
        assert_ne!(joined, Inputs::new("r").text("a").text("bc").stamp());
        assert_ne!(joined, Inputs::new("s").text("ab").text("c").stamp());
    }

    #[test]
    fn a_step_runs_once_per_stamp_and_again_after_a_failure() {
        let dir = Scratch::new("ensure");
        let (output, lock) = (dir.0.join("made/out"), dir.0.join("locks/out.lock"));
        let mut runs = 0;
        let mut step = |stamp: &str, works: bool| {
            ensure(&output, stamp, &lock, || {
                runs += 1;
                fs::write(&output, stamp)?;
                anyhow::ensure!(works, "broken");
                Ok(())
            })
        };
        step("1", true).unwrap();
        step("1", true).unwrap();
        step("2", false).unwrap_err();
        step("2", true).unwrap();
        step("2", true).unwrap();
        assert_eq!(runs, 3);
        fs::remove_file(&output).unwrap();
        assert!(!is_fresh(&output, "2"), "a stamp without its output counts for nothing");
    }

    #[test]
    fn a_step_must_make_its_output() {
        let dir = Scratch::new("nothing");
        let error = ensure(&dir.0.join("out"), "1", &dir.0.join("lock"), || Ok(())).unwrap_err();
        assert!(error.to_string().contains("did not make"), "{error}");
    }
}
