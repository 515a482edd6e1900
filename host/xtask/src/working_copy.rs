//! Copies of components below the cache: what installs packages or writes beside its sources works
//! there, so that the clone stays as it is. Called by `npm` and `python`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::stamp::{create_dir, remove, sources};

/// Makes `copy` hold the sources of `source`, and besides only what was installed there: entries
/// whose names begin with `installed`.
pub fn refresh(source: &Path, copy: &Path, installed: &str) -> Result<()> {
    create_dir(copy)?;
    for entry in fs::read_dir(copy).with_context(|| format!("cannot read {}", copy.display()))? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(installed) {
            remove(&entry.path())?;
        }
    }
    for file in sources(source)? {
        let to = copy.join(file.strip_prefix(source)?);
        if let Some(parent) = to.parent() {
            create_dir(parent)?;
        }
        fs::copy(&file, &to).with_context(|| format!("cannot copy to {}", to.display()))?;
    }
    Ok(())
}
