//! Builds a project with its language's own tools and puts what `harness.yaml` says into the
//! component. Called by `harness build`, `harness check`, `harness test` and `run --watch`.
//!
//! The tools are the user's: cargo, npm and node, python3 and pip. They may reach the network to
//! install what the project names. In Rust the same sources with the same compiler give the same
//! bytes, wherever the project lies; the tools of JavaScript and Python put the memory of a started
//! engine into a component, with what that drew at random.

mod cargo;
mod npm;
mod process;
mod python;

use std::path::{Path, PathBuf};

use crate::files::{self, FileError};
use crate::manifest::{FILE, Language, Manifest, ManifestError};
use crate::metadata::{self, Described, MetadataError};

/// Where components are put, below the project.
pub const OUTPUT: &str = "dist";
/// The largest component that the engine loads.
pub const COMPONENT_MAX_BYTES: u64 = 256 << 20;

/// What a build is told besides the project.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where cargo keeps the sources of dependencies: its path is kept out of components.
    pub cargo_home: Option<PathBuf>,
    /// Refuse a lock file that is not up to date in place of updating it.
    pub locked: bool,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub manifest: Manifest,
    pub path: PathBuf,
    pub size: u64,
}

impl Eq for Manifest {}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{tool}` is not installed: {fix}")]
    Missing { tool: String, fix: &'static str },
    #[error("`{tool}` cannot be run")]
    Start { tool: String, source: std::io::Error },
    #[error("{tool} failed ({status}); {fix}{}", tail(output))]
    Failed { tool: String, status: String, fix: String, output: String },
    #[error("the build made no component; {0}")]
    Nothing(&'static str),
    #[error("what the build made cannot be used")]
    Metadata(#[from] MetadataError),
}

fn tail(output: &str) -> String {
    if output.trim().is_empty() { String::new() } else { format!(":\n{}", output.trim_end()) }
}

/// Builds the project in `folder` to `dist/NAME.wasm`. `note` hears what begins. Blocks for as long
/// as the tools need.
pub fn build(folder: &Path, options: &Options, note: &dyn Fn(&str)) -> Result<Built, BuildError> {
    let manifest = Manifest::read(folder)?;
    let folder = std::path::absolute(folder)
        .map_err(|source| FileError::Read { path: folder.into(), source })?;
    let scratch = folder.join(OUTPUT);
    std::fs::create_dir_all(&scratch)
        .map_err(|source| FileError::Write { path: scratch.clone(), source })?;
    let made = match manifest.language {
        Language::Rust => cargo::build(&folder, options, note)?,
        Language::Js => npm::build(&folder, options, note)?,
        Language::Python => python::build(&folder, note)?,
    };
    let component = metadata::embed(&made, &Described::of(&manifest))?;
    let path = scratch.join(format!("{}.wasm", manifest.name));
    files::replace(&path, &component)?;
    Ok(Built { manifest, path, size: component.len() as u64 })
}

/// Where the component of a project is once it is built.
pub fn output(folder: &Path, manifest: &Manifest) -> PathBuf {
    folder.join(OUTPUT).join(format!("{}.wasm", manifest.name))
}

/// Whether a path is a project, not a component.
pub fn is_project(path: &Path) -> bool {
    path.is_dir() && path.join(FILE).is_file()
}

/// A file that a tool makes the component in, removed with it.
fn target_file(folder: &Path) -> Result<tempfile::TempPath, BuildError> {
    let scratch = folder.join(OUTPUT);
    let file = tempfile::Builder::new().prefix(".building-").suffix(".wasm").tempfile_in(&scratch);
    Ok(file.map_err(|source| FileError::Write { path: scratch, source })?.into_temp_path())
}
