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

/// Every file of the crate at `folder`.
pub fn read(folder: &Path) -> Result<Vec<Source>> {
    let roots = ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root));
    let mut open: Vec<_> = roots.into_iter().filter(|root| root.is_file()).collect();
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
    Ok(sources)
}

fn module_file(parent: &Path, module: &[String]) -> Result<PathBuf> {
    let is_root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| parent.ends_with(name));
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
