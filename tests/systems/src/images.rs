//! What `cargo xtask machine-image --full` made: the kernel, the roots as disks and as folders.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Set by xtask.
const FOLDER: &str = "XPRESSCLAW_MACHINE_PATH";

/// Which programs a root has: `Full` has Node.js, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Base,
    Full,
}

impl Root {
    fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Full => "full",
        }
    }
}

/// One root and what boots it.
#[derive(Clone, Debug)]
pub struct Images {
    pub kernel: PathBuf,
    /// A disk in erofs.
    pub disk: PathBuf,
    pub disk_sha256: String,
    /// The files that the disk was made of.
    pub tree: PathBuf,
    /// The computer, as a WebAssembly module.
    pub module: PathBuf,
}

impl Images {
    /// Finds them.
    ///
    /// # Errors
    /// They are not there, or the list of them is not what xtask writes.
    pub fn find(root: Root) -> Result<Self> {
        let folder = env::var_os(FOLDER)
            .with_context(|| format!("{FOLDER} is not set: start this through `cargo xtask`"))?;
        let folder = PathBuf::from(folder);
        let list = folder.join("machine.json");
        let text = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
        let list: serde_json::Value = serde_json::from_str(&text)?;
        let roots = list["roots"].as_array().context("machine.json lists no roots")?;
        let found = roots.iter().find(|entry| entry["variant"] == root.name());
        let found = found.with_context(|| {
            format!("there is no root `{}`: cargo xtask machine-image --full", root.name())
        })?;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let path = |file: &str| existing(&folder, file);
        Ok(Self {
            kernel: path(&text(&list["kernel"]["file"]).context("machine.json: no kernel")?)?,
            disk: path(&text(&found["file"]).context("machine.json: a root without a file")?)?,
            disk_sha256: text(&found["sha256"]).context("machine.json: a root without a digest")?,
            tree: path(&format!("tree-{}", root.name()))?,
            module: path("computer.wasm")?,
        })
    }
}

fn existing(folder: &Path, file: &str) -> Result<PathBuf> {
    let path = folder.join(file);
    anyhow::ensure!(
        path.exists(),
        "there is no {}: cargo xtask machine-image --full",
        path.display()
    );
    Ok(path)
}
