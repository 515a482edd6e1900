//! From what the user typed to a component file.

use std::path::{Path, PathBuf};

use artifact::{Reference, Repository};

use crate::commands::Context;
use crate::environment;
use crate::exit::Failure;
use crate::paths::Paths;
use crate::registries::{self, Registries};

/// A component that was found, a harness or middleware.
pub type Found = session::ComponentFile;

/// Folders that hold components by name, the first first.
pub fn folders(paths: &Paths) -> Vec<PathBuf> {
    let mut folders = environment::HARNESS_PATH.folders();
    folders.push(paths.harnesses());
    folders
}

/// What the user typed stands for: in this order a path, a name that the working directory pins, a
/// name in one of the folders, a registry's reference. A registry is asked for what is not on this
/// machine, and nothing that comes from one is used without the policy's word, at each use.
pub async fn resolve(typed: &str, context: &Context) -> Result<Found, Failure> {
    if is_path(typed) {
        return find(typed, &context.paths);
    }
    let name = !typed.contains(['/', ':', '@']);
    let pinned = if name { registries::lock()?.harnesses.remove(typed) } else { None };
    if let Some(reference) = pinned {
        let mut found = pulled(&Registries::new(context)?, &reference).await?;
        found.name = typed.to_owned();
        return Ok(found);
    }
    let local = match name {
        true => match find(typed, &context.paths) {
            Ok(found) => return Ok(found),
            Err(unknown) => Some(unknown),
        },
        false => None,
    };
    let registries = Registries::new(context)?;
    match (registries.reference(typed), local) {
        // A short name that no registry could give: what there is here is the better answer.
        (Ok(reference), Some(unknown)) if !registries.is_open(&reference.repository) => {
            Err(unknown)
        }
        (Err(_), Some(unknown)) => Err(unknown),
        (reference, _) => pulled(&registries, &reference?).await,
    }
}

async fn pulled(registries: &Registries, reference: &Reference) -> Result<Found, Failure> {
    let opened = registries.open(reference).await?;
    let digest = opened.manifest.component().ok().map(|layer| layer.digest.bytes().into());
    let name = opened.reference.repository.name().to_owned();
    Ok(Found { name, path: opened.path, digest })
}

/// A path is what is there, what is written like one, and what can be nothing else.
fn is_path(typed: &str) -> bool {
    let path = Path::new(typed);
    let written = path.is_absolute() || typed.starts_with('.') || typed.ends_with(".wasm");
    let separated = typed.contains(std::path::MAIN_SEPARATOR);
    let (place, _) = typed.split_once('@').unwrap_or((typed, ""));
    let place = place
        .rsplit_once(':')
        .map_or(place, |(before, after)| if after.contains('/') { place } else { before });
    written || separated && (path.exists() || Repository::parse(place).is_err())
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
        return Ok(Found::new(name, path));
    }
    let folders = folders(paths);
    let hit =
        folders.iter().map(|folder| folder.join(format!("{typed}.wasm"))).find(|p| p.is_file());
    match hit {
        Some(path) => Ok(Found::new(typed, path)),
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
                found.push(Found::new(stem, path));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_references_are_told_apart() {
        let digest = format!("ghcr.io/acme/tool@sha256:{}", "1".repeat(64));
        for (typed, expected) in [
            ("./tool", true),
            ("../x/tool", true),
            ("/x/tool", true),
            ("tool.wasm", true),
            ("ghcr.io/acme/tool.wasm", true),
            ("build/tool", true),
            ("pi", false),
            ("pi:1.0", false),
            ("ghcr.io/acme/tool", false),
            ("ghcr.io/acme/tool:1.0", false),
            ("localhost:5000/tool", false),
            ("localhost:5000/tool:1.0", false),
            (&digest, false),
        ] {
            assert_eq!(is_path(typed), expected, "{typed}");
        }
    }
}
