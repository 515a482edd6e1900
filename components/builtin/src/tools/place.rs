//! Where the tools of a turn work, and how much they may say.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Failure;

/// What one result holds at most: more is read in pieces.
const RESULT_MAX_BYTES: usize = 50_000;
/// … of a small window this share, counted in bytes for its tokens: a sixth of it.
const BYTES_PER_WINDOW_TOKEN: u64 = 2;
/// Less than this says nothing.
const RESULT_MIN_BYTES: usize = 2_000;
/// Long outputs that are kept; the oldest go.
const OUTPUTS_MAX: usize = 32;
/// The longest name of a kept output.
const NAME_MAX: usize = 64;

/// See the module.
pub struct Place {
    workspace: PathBuf,
    outputs: PathBuf,
    /// Bytes of text in one result.
    pub limit: usize,
    /// Whether the model sees images.
    pub images: bool,
}

impl Place {
    /// `window` is the model's, in tokens.
    pub fn new(workspace: PathBuf, outputs: PathBuf, window: u64, images: bool) -> Self {
        let share = usize::try_from(window / BYTES_PER_WINDOW_TOKEN).unwrap_or(usize::MAX);
        let limit = share.clamp(RESULT_MIN_BYTES, RESULT_MAX_BYTES);
        Self { workspace, outputs, limit, images }
    }

    /// The file that a model means by `path`, for reading: in the workspace, or a kept output.
    pub fn readable(&self, path: &str) -> Result<PathBuf, Failure> {
        let full = normal(&self.workspace.join(path));
        if full.starts_with(&self.outputs) { Ok(full) } else { self.inside(full, path) }
    }

    /// The same for writing: in the workspace.
    pub fn writable(&self, path: &str) -> Result<PathBuf, Failure> {
        self.inside(normal(&self.workspace.join(path)), path)
    }

    /// As the model writes it: relative to the workspace where that is possible.
    pub fn shown<'a>(&self, path: &'a Path) -> std::borrow::Cow<'a, str> {
        path.strip_prefix(&self.workspace).unwrap_or(path).to_string_lossy()
    }

    /// Keeps `text` for the model to read in pieces. Gives its path, or nothing when it cannot be
    /// kept: the shortened result is there all the same.
    pub fn keep(&self, name: &str, text: &[u8]) -> Option<PathBuf> {
        let path = self.output(name)?;
        fs::write(&path, text).ok()?;
        Some(path)
    }

    /// A path for an output called `name`, with room made for it.
    pub fn output(&self, name: &str) -> Option<PathBuf> {
        fs::create_dir_all(&self.outputs).ok()?;
        let mut kept: Vec<_> = fs::read_dir(&self.outputs)
            .ok()?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        kept.sort();
        for (_, path) in kept.iter().take((kept.len() + 1).saturating_sub(OUTPUTS_MAX)) {
            fs::remove_file(path).ok()?;
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = name.chars().map(plain).take(NAME_MAX).collect();
        Some(self.outputs.join(format!("{name}.txt")))
    }

    fn inside(&self, full: PathBuf, path: &str) -> Result<PathBuf, Failure> {
        if full.starts_with(&self.workspace) {
            return Ok(full);
        }
        let workspace = self.workspace.display();
        Err(format!("{path} is outside of the workspace {workspace}").into())
    }
}

/// Without `.` and `..`, by the text alone: links are the sandbox's to judge.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            _ => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A place in a temporary folder.
    pub fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        fs::create_dir(&workspace).unwrap();
        let place = Place::new(workspace, folder.path().join("output"), 1_000_000, true);
        (folder, place)
    }

    #[test]
    fn paths_stay_in_the_workspace() {
        let place = Place::new("/workspace".into(), "/state/output".into(), 100_000, true);
        for (path, expected) in [
            ("a.txt", Some("/workspace/a.txt")),
            ("./a/../b", Some("/workspace/b")),
            ("/workspace/a", Some("/workspace/a")),
            ("", Some("/workspace")),
            ("..", None),
            ("a/../../x", None),
            ("/etc/passwd", None),
            ("/workspaces/a", None),
            ("/state/history.jsonl", None),
            ("/state/output/../history.jsonl", None),
        ] {
            assert_eq!(place.writable(path).ok(), expected.map(PathBuf::from), "{path}");
            assert_eq!(place.readable(path).ok(), expected.map(PathBuf::from), "{path}");
        }
        let kept = "/state/output/a.txt";
        assert_eq!(place.readable(kept), Ok(PathBuf::from(kept)));
        assert!(place.writable(kept).is_err());
    }

    #[test]
    fn a_small_window_has_short_results() {
        for (window, limit) in [(2_048, 2_000), (8_192, 4_096), (200_000, 50_000)] {
            assert_eq!(Place::new("/w".into(), "/o".into(), window, true).limit, limit, "{window}");
        }
    }

    #[test]
    fn the_oldest_outputs_go() {
        let (folder, place) = place();
        for index in 0..OUTPUTS_MAX + 5 {
            assert!(place.keep(&format!("call/{index}"), b"x").is_some());
        }
        let count = fs::read_dir(folder.path().join("output")).unwrap().count();
        assert_eq!(count, OUTPUTS_MAX);
        let last = folder.path().join(format!("output/call_{}.txt", OUTPUTS_MAX + 4));
        assert!(last.is_file());
    }
}
