//! The files that a crate is made of, followed from its roots. Called by `rules`. Files that only
//! tests compile are left out, wherever they stand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::tokens::{Name, scan};

/// What one file names.
pub struct Source {
    pub path: PathBuf,
    pub names: Vec<Name>,
}

/// Further programs of a crate, one a file.
const PROGRAMS: &str = "src/bin";

/// Every file of the crate at `folder`.
pub fn read(folder: &Path) -> Result<Vec<Source>> {
    let roots = ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root));
    let mut open: Vec<_> = roots.into_iter().filter(|root| root.is_file()).collect();
    if let Ok(entries) = fs::read_dir(folder.join(PROGRAMS)) {
        let files = entries.flatten().map(|entry| entry.path());
        open.extend(files.filter(|path| path.extension().is_some_and(|e| e == "rs")));
    }
    if open.is_empty() {
        bail!("{} has neither src/lib.rs nor src/main.rs", folder.display());
    }
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        let code =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let found = scan(&code).with_context(|| path.display().to_string())?;
        for module in &found.modules {
            open.push(module_file(&path, module)?);
        }
        sources.push(Source { path, names: found.names });
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources.dedup_by(|a, b| a.path == b.path);
    Ok(sources)
}

fn module_file(parent: &Path, module: &[String]) -> Result<PathBuf> {
    let is_root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| parent.ends_with(name))
        || parent.parent().is_some_and(|folder| folder.ends_with(PROGRAMS));
    let mut base = match is_root {
        true => parent.with_file_name(""),
        false => parent.with_extension(""),
    };
    base.extend(module);
    let candidates = [base.with_extension("rs"), base.join("mod.rs")];
    candidates.into_iter().find(|path| path.is_file()).with_context(|| {
        format!(
            "{} declares `mod {}`, which stands in no file: modules follow their folders here",
            parent.display(),
            module.join("::")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these files, and the files that are found or the end of the error.
    fn check(files: &[(&str, &str)], expected: Result<&[&str], &str>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, code) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, code).unwrap();
        }
        let found = read(folder.path()).map(|sources| {
            let shown = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_owned();
            sources.iter().map(|source| shown(&source.path)).collect::<Vec<_>>()
        });
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
            }
            (Err(error), Err(part)) => assert!(format!("{error:#}").contains(part), "{error:#}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn modules_are_followed_and_those_of_tests_are_not() {
        check(
            &[
                ("src/lib.rs", "mod a; mod b { mod c; } #[cfg(test)] mod tests;"),
                ("src/a.rs", "mod d;"),
                ("src/a/d.rs", ""),
                ("src/b/c/mod.rs", "mod e;"),
                ("src/b/c/e.rs", ""),
                ("src/tests.rs", "not Rust ("),
                ("src/bin/f.rs", "mod g;"),
                ("src/bin/g.rs", ""),
            ],
            Ok(&[
                "src/a/d.rs",
                "src/a.rs",
                "src/b/c/e.rs",
                "src/b/c/mod.rs",
                "src/bin/f.rs",
                "src/bin/g.rs",
                "src/lib.rs",
            ]),
        );
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        check(&[("src/a.rs", "")], Err("has neither src/lib.rs nor src/main.rs"));
        check(&[("src/main.rs", "mod a;")], Err("declares `mod a`, which stands in no file"));
        check(&[("src/main.rs", "fn f( {")], Err("no Rust code"));
    }
}
