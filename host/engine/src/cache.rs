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
use wasmtime::Module;
use wasmtime::component::Component;

use crate::code::Code;

/// Largest component that is loaded: the largest known (an interpreter with its libraries) is
/// 40 MB; a gigabyte-sized machine image is not a harness.
pub const COMPONENT_MAX_BYTES: u64 = 256 << 20;

/// Files in the cache: all harnesses of a machine several times over. Whoever builds one again and
/// again makes a new entry each time, 5 to 40 MB; the ones unused for longest go.
const ENTRIES_MAX: usize = 32;

/// The largest id of a section in a component (component model, `design/mvp/Binary.md`).
const SECTION_ID_MAX: u8 = 12;

/// Read buffer for hashing: large enough that system calls do not show.
const HASH_BUFFER: usize = 256 << 10;

/// The SHA-256 of a component's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of a thing that is known by its parts and by what joins them. No file has this digest:
    /// `joiner` is text, and a component begins with a zero byte.
    fn joined(joiner: &str, parts: &[Self]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(joiner.as_bytes());
        parts.iter().for_each(|part| hasher.update(part.0));
        Self(hasher.finalize().into())
    }
}

/// From the bytes of a SHA-256.
impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A component file.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub path: &'a Path,
    /// The digest of the whole file, where the caller has read it all just now: compiled code of these
    /// bytes is then taken without reading them again. `None`: what is there is read.
    pub verified: Option<Digest>,
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Source<'a> {
    fn from(path: &'a P) -> Self {
        Self { path: path.as_ref(), verified: None }
    }
}

impl Source<'_> {
    fn digest(&self) -> Result<Digest, LoadError> {
        self.verified.map_or_else(|| digest_of(self.path), Ok)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has {size} bytes; a component may have at most {COMPONENT_MAX_BYTES}", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error("{} is a folder; name the component in it, a file that ends in .wasm", path.display())]
    Directory { path: PathBuf },
    #[error("{} is not a WebAssembly file", path.display())]
    NotWasm { path: PathBuf },
    #[error("{} is text; a harness is a component in binary form: build one for the world `harness`, or run `wasm-tools parse` on WebAssembly text", path.display())]
    Text { path: PathBuf },
    #[error("{} is cut off: {missing} bytes are missing at its end; copy or download it again", path.display())]
    CutOff { path: PathBuf, missing: u64 },
    #[error("{} is a component; the machine's computer is a core module", path.display())]
    Component { path: PathBuf },
    #[error("{} is a core module, not a component; build it with `wasm-tools component new` or a component target", path.display())]
    CoreModule { path: PathBuf },
    #[error("{} does not compile as a {kind}", path.display())]
    Compile { path: PathBuf, kind: &'static str, source: wasmtime::Error },
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

    /// Loads a component, compiling it when this engine has not seen these bytes yet; returns it with
    /// the digest of what was loaded, which differs from the one that was verified if the file changed
    /// since. `compiling` is called before a compilation, which blocks for seconds. A cache that cannot
    /// be written costs that time again at the next load, and is no error.
    pub fn load<'a>(
        &self,
        engine: &wasmtime::Engine,
        source: impl Into<Source<'a>>,
        compiling: impl FnOnce(),
    ) -> Result<(Component, Digest), LoadError> {
        let source = source.into();
        let (path, digest) = (source.path, source.digest()?);
        let entry = self.entry(engine, &digest);
        if let Some(component) = read_back(engine, &entry) {
            return Ok((component, digest));
        }
        compiling();
        let bytes = read_whole(path)?;
        // The file may have changed since it was hashed: the entry is named by what was compiled.
        let digest = Digest::of(&bytes);
        let component = self.compile(engine, path, &digest, &bytes)?;
        Ok((component, digest))
    }

    /// Loads what `join` makes of the files in `sources`, the first of which gives it its name in
    /// messages; returns it with the digest of each file. What was compiled is kept under the
    /// digests of the parts and `joiner`, which must change when `join` makes something else of the
    /// same bytes: a second load joins nothing. Otherwise like [`CompileCache::load`].
    pub fn load_joined<E: From<LoadError>>(
        &self,
        engine: &wasmtime::Engine,
        sources: &[Source<'_>],
        joiner: &str,
        join: impl FnOnce(&[Vec<u8>]) -> Result<Vec<u8>, E>,
        compiling: impl FnOnce(),
    ) -> Result<(Component, Vec<Digest>), E> {
        let digests = sources.iter().map(Source::digest).collect::<Result<Vec<_>, _>>()?;
        let entry = self.entry(engine, &Digest::joined(joiner, &digests));
        if let Some(component) = read_back(engine, &entry) {
            return Ok((component, digests));
        }
        compiling();
        let read = sources.iter().map(|source| read_whole(source.path));
        let parts = read.collect::<Result<Vec<_>, _>>()?;
        // As above: named by what was read.
        let digests: Vec<_> = parts.iter().map(|bytes| Digest::of(bytes)).collect();
        let bytes = join(&parts)?;
        let path = sources.first().map_or(Path::new(""), |source| source.path);
        let size = bytes.len() as u64;
        if size > COMPONENT_MAX_BYTES {
            return Err(LoadError::TooLarge { path: path.into(), size }.into());
        }
        let digest = Digest::joined(joiner, &digests);
        Ok((self.compile(engine, path, &digest, &bytes)?, digests))
    }

    /// Like [`CompileCache::load`] for a core module.
    pub fn load_module(
        &self,
        engine: &wasmtime::Engine,
        path: &Path,
        compiling: impl FnOnce(),
    ) -> Result<(Module, Digest), LoadError> {
        let digest = digest_in(path, Module::LAYER)?;
        if let Some(module) = read_back(engine, &self.entry(engine, &digest)) {
            return Ok((module, digest));
        }
        compiling();
        let bytes = read_in(path, Module::LAYER)?;
        // As above: named by what was read.
        let digest = Digest::of(&bytes);
        Ok((self.compile(engine, path, &digest, &bytes)?, digest))
    }

    fn compile<C: Code>(
        &self,
        engine: &wasmtime::Engine,
        path: &Path,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<C, LoadError> {
        let span = tracing::debug_span!("compile", component.digest = %digest);
        let code = span
            .in_scope(|| C::compile(engine, bytes))
            .map_err(|source| LoadError::Compile { path: path.into(), kind: C::KIND, source })?;
        let entry = self.entry(engine, digest);
        let kept = code.serialize().and_then(|bytes| Ok(self.write(&entry, &bytes)?));
        if let Err(error) = kept {
            tracing::warn!(%error, entry = %entry.display(), "compiled code cannot be kept");
        }
        Ok(code)
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
    read_in(path, Component::LAYER)
}

fn read_in(path: &Path, layer: u8) -> Result<Vec<u8>, LoadError> {
    let read = |source| LoadError::Read { path: path.into(), source };
    let mut bytes = Vec::new();
    // It may have grown since it was measured.
    let mut file = File::open(path).map_err(read)?.take(COMPONENT_MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(read)?;
    let size = bytes.len() as u64;
    if size > COMPONENT_MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.into(), size });
    }
    check_header(path, &bytes, layer)?;
    match missing(&bytes) {
        0 => Ok(bytes),
        missing => Err(LoadError::CutOff { path: path.into(), missing }),
    }
}

/// Bytes that the last section announces and the file does not have. A component is a preamble of 8
/// bytes and sections: an id, the size as an unsigned LEB128 of 32 bits, the content (component
/// model, `design/mvp/Binary.md`). Everything else that can be wrong is the compiler's to say.
fn missing(bytes: &[u8]) -> u64 {
    let mut at = 8_u64;
    let byte = |at: u64| bytes.get(usize::try_from(at).ok()?).copied();
    while let Some(id) = byte(at) {
        if id > SECTION_ID_MAX {
            return 0;
        }
        at += 1;
        let mut size = 0_u64;
        for shift in (0..35).step_by(7) {
            let Some(next) = byte(at) else { return 1 };
            at += 1;
            size |= u64::from(next & 0x7f) << shift;
            if next & 0x80 == 0 {
                break;
            }
        }
        at = at.saturating_add(size);
    }
    at.saturating_sub(bytes.len() as u64)
}

fn digest_of(path: &Path) -> Result<Digest, LoadError> {
    digest_in(path, Component::LAYER)
}

fn digest_in(path: &Path, layer: u8) -> Result<Digest, LoadError> {
    let read = |source| LoadError::Read { path: path.into(), source };
    let mut file = File::open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if metadata.is_dir() {
        return Err(LoadError::Directory { path: path.into() });
    }
    let size = metadata.len();
    if size > COMPONENT_MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.into(), size });
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER];
    let mut first = true;
    loop {
        let n = file.read(&mut buffer).map_err(read)?;
        if first {
            check_header(path, &buffer[..n], layer)?;
            first = false;
        }
        if n == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&buffer[..n]);
    }
}

/// The preamble of the binary format: magic, then version and layer.
fn check_header(path: &Path, start: &[u8], layer: u8) -> Result<(), LoadError> {
    match start {
        [0, b'a', b's', b'm', _, _, found, 0, ..] if *found == layer => Ok(()),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Err(LoadError::Component { path: path.into() }),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { path: path.into() }),
        text if !text.is_empty() && is_text(text) => Err(LoadError::Text { path: path.into() }),
        _ => Err(LoadError::NotWasm { path: path.into() }),
    }
}

/// WIT, WebAssembly text, a script: what is put in a component's place by mistake. The start may end
/// inside a character.
fn is_text(start: &[u8]) -> bool {
    let valid = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !c.is_whitespace())
}

fn read_back<C: Code>(engine: &wasmtime::Engine, entry: &Path) -> Option<C> {
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
    // SAFETY: the file is the output of `Code::serialize` of this very engine configuration
    // (its name holds the compatibility hash), written whole by rename into a directory that only
    // this user may write, which `is_private` has just checked.
    #[allow(unsafe_code)]
    let loaded = unsafe { C::read_back(engine, entry) };
    match loaded {
        Ok(code) => {
            // For the sweep. A failure makes the entry look older than it is.
            let _ = File::open(entry).and_then(|file| file.set_modified(SystemTime::now()));
            Some(code)
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
