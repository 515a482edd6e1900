//! From what the user typed to a component file.

use std::path::{Path, PathBuf};

use crate::environment;
use crate::exit::Failure;
use crate::paths::Paths;

/// A component that was found, a harness or middleware.
pub type Found = session::ComponentFile;

/// Folders that hold components by name, the first first.
pub fn folders(paths: &Paths) -> Vec<PathBuf> {
    let mut folders = environment::HARNESS_PATH.folders();
    folders.push(paths.harnesses());
    folders
}

/// A path (anything with a separator or the ending `.wasm`) or a name.
pub fn find(typed: &str, paths: &Paths) -> Result<Found, Failure> {
    let path = Path::new(typed);
    if typed.contains(std::path::MAIN_SEPARATOR) || path.extension().is_some_and(|e| e == "wasm") {
        // A folder is found, and refused as one by whoever reads it.
        if !path.exists() {
            return Err(Failure::usage(format!("no component at {typed}")));
        }
        let name =
            path.file_stem().map_or_else(|| typed.into(), |s| s.to_string_lossy().into_owned());
        return Ok(Found { name, path: path.into() });
    }
    let folders = folders(paths);
    let hit =
        folders.iter().map(|folder| folder.join(format!("{typed}.wasm"))).find(|p| p.is_file());
    match hit {
        Some(path) => Ok(Found { name: typed.into(), path }),
        None => {
            let searched: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
            let known: Vec<_> = list(paths).into_iter().map(|found| found.name).collect();
            let known =
                if known.is_empty() { "none is installed".into() } else { known.join(", ") };
            Err(Failure::usage(format!("no harness `{typed}`; there are: {known}")).hint(format!(
                "put {typed}.wasm into one of: {}; or set {}",
                searched.join(", "),
                environment::HARNESS_PATH.name
            )))
        }
    }
}

/// All components that can be run by name.
pub fn list(paths: &Paths) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for folder in folders(paths) {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let Some(stem) = path.file_stem().map(|s| s.to_string_lossy().into_owned()) else {
                continue;
            };
            let wasm = path.extension().is_some_and(|e| e == "wasm") && path.is_file();
            if wasm && !found.iter().any(|other| other.name == stem) {
                found.push(Found { name: stem, path });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
