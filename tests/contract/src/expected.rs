//! Files that are made from others and committed. Called by the tests of such files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Compares `path` with what it should hold, or writes it when the caller was told to.
///
/// `fix` is the command that writes it.
pub fn check(path: &Path, expected: &str, mode: Mode, fix: &str) -> Result<()> {
    let found = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    if found == expected {
        return Ok(());
    }
    match mode {
        Mode::Update => {
            fs::write(path, expected).with_context(|| format!("cannot write {}", path.display()))
        }
        Mode::Compare => {
            let line = first_difference(&found, expected);
            bail!("{} is stale from line {line} on: run `{fix}`", path.display())
        }
    }
}

/// What to do about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Compare,
    Update,
}

/// From 1.
fn first_difference(a: &str, b: &str) -> usize {
    a.lines().zip(b.lines()).take_while(|(a, b)| a == b).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_found_and_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        let error = check(&path, "1\n2\n", Mode::Compare, "make a").unwrap_err().to_string();
        assert!(error.ends_with("a.md is stale from line 1 on: run `make a`"), "{error}");
        check(&path, "1\n2\n", Mode::Update, "make a").unwrap();
        check(&path, "1\n2\n", Mode::Compare, "make a").unwrap();
        let error = check(&path, "1\n3\n", Mode::Compare, "make a").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
