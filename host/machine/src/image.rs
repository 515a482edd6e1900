//! The machine's image: a folder with a kernel, a root and the computer, made by
//! `cargo xtask machine-image`. Kernel and root are checked once, by the digests in `machine.json`; the
//! computer is taken as it lies there, like any component that is named by its path.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use computer::{Disk, DiskError};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Says what the folder holds.
const MANIFEST: &str = "machine.json";

/// The computer, a core module.
const COMPUTER: &str = "computer.wasm";

/// The root that machines get: the one without what only some agents need.
const VARIANT: &str = "base";

/// Where an image is.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// An image that was read.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub kernel: Arc<[u8]>,
    pub root: Arc<Disk>,
}

/// There is no image that a machine could start from.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("the machine's image cannot be read at {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} does not describe a machine's image; make it again", path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("{} names no root of the kind `{VARIANT}`; make the image again", path.display())]
    NoRoot { path: PathBuf },
    #[error("{} is not what the image's description says; make the image again", path.display())]
    Digest { path: PathBuf },
    #[error(transparent)]
    Disk(#[from] DiskError),
}

#[derive(Deserialize)]
struct Manifest {
    kernel: Part,
    roots: Vec<Root>,
}

#[derive(Deserialize)]
struct Root {
    variant: String,
    #[serde(flatten)]
    part: Part,
}

#[derive(Deserialize)]
struct Part {
    file: String,
    sha256: String,
}

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether an image is there; nothing is read.
    pub fn holds_an_image(&self) -> bool {
        [MANIFEST, COMPUTER].iter().all(|file| self.0.join(file).is_file())
    }

    pub(crate) fn computer(&self) -> PathBuf {
        self.0.join(COMPUTER)
    }

    /// Reads and checks it. Blocks for as long as hashing the root takes.
    pub(crate) fn open(&self) -> Result<Image, ImageError> {
        let path = self.0.join(MANIFEST);
        let manifest = self.read(MANIFEST)?;
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .map_err(|source| ImageError::Manifest { path: path.clone(), source })?;
        let root = manifest.roots.iter().find(|root| root.variant == VARIANT);
        let root = &root.ok_or(ImageError::NoRoot { path })?.part;
        let kernel = self.read(&manifest.kernel.file)?;
        if !hex(&Sha256::digest(&kernel)).eq_ignore_ascii_case(&manifest.kernel.sha256) {
            return Err(ImageError::Digest { path: self.0.join(&manifest.kernel.file) });
        }
        let root = Disk::open(&self.0.join(&root.file), &root.sha256)?;
        Ok(Image { kernel: kernel.into(), root })
    }

    /// Whether all of it is what its description says; the bytes of kernel and root. Blocks as reading
    /// them does.
    ///
    /// # Errors
    /// No machine could start from it.
    pub fn check(&self) -> Result<u64, ImageError> {
        let image = self.open()?;
        Ok(image.kernel.len() as u64 + image.root.bytes())
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, ImageError> {
        let path = self.0.join(file);
        std::fs::read(&path).map_err(|source| ImageError::Read { path, source })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
