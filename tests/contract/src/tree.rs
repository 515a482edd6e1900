//! The repository's folders and the length of its files. Called by the repository's tests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The top level is fixed: whoever knows one clone knows all.
const FOLDERS: &[&str] =
    &["components", "docs", "harness-adapters", "host", "registry-tools", "tests", "wit"];
const FILES: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "clippy.toml", "rustfmt.toml"];
/// Made by builds, never committed, at any depth.
const BUILT: &[&str] = &["target", "node_modules"];

/// Lines: nobody reads a longer file to its end.
const LINES_MAX: usize = 800;
/// Lines that one file in ten may pass.
const LINES_LONG: usize = 600;
/// Lines that half of the files must stay below.
const LINES_MEDIAN: usize = 200;

/// An entry of the top level.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub is_folder: bool,
}

/// What stands in `root`.
pub fn top(root: &Path) -> Result<Vec<Entry>> {
    let read = || format!("cannot read {}", root.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(root).with_context(read)? {
        let entry = entry.with_context(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(Entry { name, is_folder: entry.path().is_dir() });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// What is too much at the top level, and what is missing.
pub fn top_violations(entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for Entry { name, is_folder } in entries {
        let free = name.starts_with('.') || BUILT.contains(&name.as_str());
        let (known, fix) = match is_folder {
            true => (FOLDERS, "move it into one of"),
            false => (FILES, "move it into a folder; files here are"),
        };
        if !free && !known.contains(&name.as_str()) {
            found.push(format!("{name} at the top level: {fix} {}", known.join(", ")));
        }
    }
    for folder in FOLDERS {
        if !entries.iter().any(|entry| entry.is_folder && entry.name == *folder) {
            found.push(format!(
                "no folder {folder} at the top level: it belongs to the fixed layout, restore it"
            ));
        }
    }
    found
}

/// A Rust file and how many lines it has.
#[derive(Debug, Clone)]
pub struct File {
    /// From the repository's root.
    pub path: String,
    pub lines: usize,
}

/// Every Rust file below `root`, but for what builds make.
pub fn rust_files(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let read = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(read)? {
            let path = entry.with_context(read)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || BUILT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                files.push(File { path: shown, lines: text.lines().count() });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Files that are too long, one by one or together.
pub fn length_violations(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for File { path, lines } in files.iter().filter(|file| file.lines > LINES_MAX) {
        found.push(format!(
            "{path} has {lines} lines, more than {LINES_MAX}: split it, one concept a file"
        ));
    }
    let long: Vec<_> = files.iter().filter(|file| file.lines > LINES_LONG).collect();
    if long.len() * 10 > files.len() {
        let names: Vec<_> = long.iter().map(|file| file.path.as_str()).collect();
        found.push(format!(
            "{} of {} files have more than {LINES_LONG} lines, more than one in ten: split some of {}",
            long.len(),
            files.len(),
            names.join(", ")
        ));
    }
    let mut lines: Vec<_> = files.iter().map(|file| file.lines).collect();
    lines.sort_unstable();
    if lines.get(lines.len() / 2).is_some_and(|median| *median >= LINES_MEDIAN) {
        found.push(format!(
            "half of the files have {LINES_MEDIAN} lines or more: split the longest"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &[String], expected: &[&str]) {
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, part)| found.contains(part));
        assert!(same, "expected {expected:#?}, found {found:#?}");
    }

    #[test]
    fn the_top_level_is_fixed() {
        let folder = |name: &str| Entry { name: name.into(), is_folder: true };
        let file = |name: &str| Entry { name: name.into(), is_folder: false };
        let mut entries: Vec<_> = FOLDERS.iter().map(|name| folder(name)).collect();
        entries.extend([folder(".git"), folder("target"), file("README.md"), file(".gitignore")]);
        check(&top_violations(&entries), &[]);
        entries.push(folder("scripts"));
        entries.push(file("notes.md"));
        entries.retain(|entry| entry.name != "wit");
        check(
            &top_violations(&entries),
            &[
                "scripts at the top level: move it into one of",
                "notes.md at the top level: move it into a folder",
                "no folder wit at the top level",
            ],
        );
    }

    #[test]
    fn files_are_short() {
        let files = |lengths: &[usize]| -> Vec<_> {
            let file = |lines: &usize| File { path: format!("{lines}.rs"), lines: *lines };
            lengths.iter().map(file).collect()
        };
        check(&length_violations(&files(&[])), &[]);
        check(&length_violations(&files(&[10; 10])), &[]);
        let mut lengths = vec![10; 9];
        lengths.push(800);
        check(&length_violations(&files(&lengths)), &[]);
        lengths.push(801);
        check(
            &length_violations(&files(&lengths)),
            &["801.rs has 801 lines", "2 of 11 files have more than 600 lines"],
        );
        check(&length_violations(&files(&[199, 199, 300])), &[]);
        check(&length_violations(&files(&[199, 200, 200])), &["half of the files"]);
    }

    #[test]
    fn files_are_found_but_not_what_builds_made() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/b/c.rs", "target/d.rs", "a/node_modules/e.rs", ".x/f.rs", "a/g.txt"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "1\n2\n").unwrap();
        }
        let files = rust_files(root.path()).unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].lines, 2);
        assert_eq!(top(root.path()).unwrap().len(), 3);
    }
}
