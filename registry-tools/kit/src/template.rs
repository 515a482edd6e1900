//! New projects. Called by `harness new`.
//!
//! A template is a folder of real files that builds as it stands; only its name, `my-harness`, is
//! replaced. The contract is added from what this program carries. Nothing that exists is
//! overwritten.

use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use crate::files::{self, FileError};
use crate::manifest::{Language, NameError, check_name};
use crate::wit::{self, WitError};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// What all languages share.
const COMMON: &str = "common";
/// The name of the project in a template.
const NAME: &str = "my-harness";
/// Where a project keeps the contract.
pub const WIT: &str = "wit";

#[derive(Debug, thiserror::Error)]
pub enum NewError {
    #[error("`{name}` is no name for a harness: it {reason}")]
    Name { name: String, reason: NameError },
    #[error("{} exists already; choose another name or folder, or empty it", .0.display())]
    Exists(PathBuf),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Wit(#[from] WitError),
}

/// Makes the project `name` in `folder`, which must be empty or not exist, and gives back the paths
/// of its files, relative to it.
pub fn create(folder: &Path, name: &str, language: Language) -> Result<Vec<String>, NewError> {
    check_name(name).map_err(|reason| NewError::Name { name: name.into(), reason })?;
    if !is_free(folder) {
        return Err(NewError::Exists(folder.into()));
    }
    let mut made = Vec::new();
    for (path, content) in files_of(language) {
        files::write(&folder.join(&path), named(content, name).as_bytes())?;
        made.push(path);
    }
    wit::write(&folder.join(WIT))?;
    made.extend(wit::files().into_iter().map(|(path, _)| format!("{WIT}/{path}")));
    Ok(made)
}

/// The files of a template, without the contract.
fn files_of(language: Language) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for folder in [COMMON, language.as_str()] {
        if let Some(dir) = TEMPLATES.get_dir(folder) {
            collect(dir, dir.path(), &mut found);
        }
    }
    found.sort();
    found
}

fn collect(dir: &Dir<'static>, root: &Path, found: &mut Vec<(String, &'static str)>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => collect(dir, root, found),
            DirEntry::File(file) => {
                let path = file.path().strip_prefix(root).unwrap_or(file.path());
                let path = path.to_string_lossy().replace('\\', "/");
                if let Some(text) = file.contents_utf8() {
                    found.push((path, text));
                }
            }
        }
    }
}

fn named(text: &str, name: &str) -> String {
    text.replace(NAME, name)
}

fn is_free(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn a_project_has_its_name_its_contract_and_a_manifest_of_its_language() {
        for language in Language::ALL {
            let folder = tempfile::tempdir().unwrap();
            let project = folder.path().join("crab");
            let made = create(&project, "crab", language).unwrap();
            let manifest = Manifest::read(&project).unwrap();
            assert_eq!((manifest.name.as_str(), manifest.language), ("crab", language));
            for file in ["README.md", "harness.yaml", ".gitignore", "wit/worlds.wit"] {
                assert!(made.iter().any(|path| path == file), "{language:?}: no {file}: {made:?}");
            }
            for path in &made {
                let text = std::fs::read_to_string(project.join(path)).unwrap();
                assert!(!text.contains(NAME), "{language:?}: {path} keeps the template's name");
            }
        }
    }

    /// The templates are the shipped examples: who mends one mends both.
    #[test]
    fn sources_are_those_of_the_shipped_examples() {
        /// Lines of the head of a file, which say where the contract lies.
        const HEAD: usize = 8;
        for (language, file, example) in [
            (Language::Js, "src/harness.js", "echo-js/src/harness.js"),
            (Language::Python, "src/main.py", "echo-python/src/echo.py"),
        ] {
            let components = concat!(env!("CARGO_MANIFEST_DIR"), "/../../components");
            let shipped = std::fs::read_to_string(Path::new(components).join(example)).unwrap();
            let files = files_of(language);
            let (_, template) = files.iter().find(|(path, _)| path == file).unwrap();
            let body = |text: &str| text.lines().skip(HEAD).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(body(template), body(&shipped), "{example}");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let error = create(folder.path(), "crab", Language::Rust).unwrap_err();
        assert!(matches!(error, NewError::Exists(_)), "{error}");
        assert!(!folder.path().join("harness.yaml").exists());
    }

    #[test]
    fn a_name_is_one_in_every_language() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "Crab", "1crab", "a/b", "../a", "crab-", "a--b", "cräb"] {
            let error = create(&folder.path().join("p"), name, Language::Js).unwrap_err();
            assert!(matches!(error, NewError::Name { .. }), "{name}: {error}");
        }
    }
}
