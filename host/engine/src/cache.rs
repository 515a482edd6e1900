//! Compiled code, kept between processes.
//!
//! Compiling a JavaScript harness takes seconds, reading it back a millisecond. The cache is
//! trusted as much as the binary itself, because loading native code is running it: it lives in a
//! directory that only its owner may write, entries are written whole or not at all, and their
//! names hold the component's digest and the engine's compatibility hash, so that another compiler
//! or another setting never reads them.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

/// Largest component that is loaded: the largest known (an interpreter with its libraries) is
/// 40 MB; a gigabyte-sized machine image is not a harness.
pub const COMPONENT_MAX_BYTES: u64 = 256 << 20;

/// Files in the cache: all harnesses of a machine several times over. Whoever builds one again and
/// again makes a new entry each time, 5 to 40 MB; the ones unused for longest go.
const ENTRIES_MAX: usize = 32;

/// Read buffer for hashing: large enough that system calls do not show.
const HASH_BUFFER: usize = 256 << 10;

/// The SHA-256 of a component's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has {size} bytes; a component may have at most {COMPONENT_MAX_BYTES}", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error("{} is not a WebAssembly file", path.display())]
    NotWasm { path: PathBuf },
    #[error("{} is a core module, not a component; build it with `wasm-tools component new` or a component target", path.display())]
    CoreModule { path: PathBuf },
    #[error("{} does not compile as a component", path.display())]
    Compile { path: PathBuf, source: wasmtime::Error },
}

/// Compiled components in a directory. Safe to share between processes.
#[derive(Debug, Clone)]
pub struct CompileCache {
    directory: PathBuf,
}

impl CompileCache {
    /// The directory is made when the first entry is written.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Loads the component at `path`, compiling it when this engine has not seen these bytes yet.
    /// `compiling` is called before a compilation, which blocks for seconds. A cache that cannot be
    /// written costs that time again at the next load, and is no error.
    pub fn load(
        &self,
        engine: &wasmtime::Engine,
        path: &Path,
        compiling: impl FnOnce(),
    ) -> Result<(Component, Digest), LoadError> {
        let digest = digest_of(path)?;
        let entry = self.entry(engine, &digest);
        if let Some(component) = read_back(engine, &entry) {
            return Ok((component, digest));
        }
        compiling();
        let bytes = read_whole(path)?;
        // The file may have changed since it was hashed: the entry is named by what was compiled.
        let digest = Digest(Sha256::digest(&bytes).into());
        let entry = self.entry(engine, &digest);
        let component = Component::from_binary(engine, &bytes)
            .map_err(|source| LoadError::Compile { path: path.into(), source })?;
        let kept = component.serialize().and_then(|code| Ok(self.write(&entry, &code)?));
        if let Err(error) = kept {
            tracing::warn!(%error, entry = %entry.display(), "compiled code cannot be kept");
        }
        Ok((component, digest))
    }

    fn entry(&self, engine: &wasmtime::Engine, digest: &Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.directory.join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }

    fn write(&self, entry: &Path, code: &[u8]) -> io::Result<()> {
        create_private(&self.directory)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(code)?;
        file.as_file().sync_all()?;
        file.persist(entry).map_err(|e| e.error)?;
        self.sweep()
    }

    /// Drops the entries that were not used for longest, and what crashes have left half written.
    fn sweep(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.directory)?
            .filter_map(|file| {
                let file = file.ok()?;
                Some((file.metadata().ok()?.modified().ok()?, file.path()))
            })
            .collect();
        files.sort();
        for (_, path) in files.iter().take(files.len().saturating_sub(ENTRIES_MAX)) {
            // Another process may have been faster.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}

fn read_whole(path: &Path) -> Result<Vec<u8>, LoadError> {
    let read = |source| LoadError::Read { path: path.into(), source };
    let mut bytes = Vec::new();
    // It may have grown since it was measured.
    let mut file = File::open(path).map_err(read)?.take(COMPONENT_MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(read)?;
    let size = bytes.len() as u64;
    if size > COMPONENT_MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.into(), size });
    }
    check_header(path, &bytes)?;
    Ok(bytes)
}

fn digest_of(path: &Path) -> Result<Digest, LoadError> {
    let read = |source| LoadError::Read { path: path.into(), source };
    let mut file = File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    if size > COMPONENT_MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.into(), size });
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER];
    let mut first = true;
    loop {
        let n = file.read(&mut buffer).map_err(read)?;
        if first {
            check_header(path, &buffer[..n])?;
            first = false;
        }
        if n == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&buffer[..n]);
    }
}

/// The preamble of the binary format: magic, then version and layer. Layer 0 is a core module,
/// layer 1 a component (component model, `design/mvp/Binary.md`).
fn check_header(path: &Path, start: &[u8]) -> Result<(), LoadError> {
    match start {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { path: path.into() }),
        _ => Err(LoadError::NotWasm { path: path.into() }),
    }
}

fn read_back(engine: &wasmtime::Engine, entry: &Path) -> Option<Component> {
    match is_private(entry) {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!(
                entry = %entry.display(),
                "compiled code is not used: the file and its directory must belong to this user \
                 and be writable by nobody else"
            );
            return None;
        }
        // Not there, as a rule.
        Err(_) => return None,
    }
    // SAFETY: the file is the output of `Component::serialize` of this very engine configuration
    // (its name holds the compatibility hash), written whole by rename into a directory that only
    // this user may write, which `is_private` has just checked.
    #[allow(unsafe_code)]
    let loaded = unsafe { Component::deserialize_file(engine, entry) };
    match loaded {
        Ok(component) => {
            // For the sweep. A failure makes the entry look older than it is.
            let _ = File::open(entry).and_then(|file| file.set_modified(SystemTime::now()));
            Some(component)
        }
        Err(error) => {
            tracing::warn!(%error, entry = %entry.display(), "compiled code is unusable, compiling again");
            None
        }
    }
}

#[cfg(unix)]
fn is_private(entry: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    const OTHERS_WRITE: u32 = 0o022;
    let file = fs::symlink_metadata(entry)?;
    let directory = match entry.parent() {
        Some(parent) => fs::metadata(parent)?,
        None => return Ok(false),
    };
    let own = rustix::process::geteuid().as_raw();
    Ok(file.is_file()
        && file.uid() == own
        && directory.uid() == own
        && (file.mode() | directory.mode()) & OTHERS_WRITE == 0)
}

#[cfg(not(unix))]
fn is_private(entry: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(entry)?.is_file())
}

fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}
