//! A harness component on disk, with its middleware, checked against the contract and ready to be
//! instantiated.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bindings::{harness::HarnessPre, harness_sync::HarnessSyncPre};
use compose::{COMPOSER, Part};
use engine::{Digest, Source};
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::refusal::{HarnessError, export_refusal, import_refusal};
use crate::runtime::Runtime;
use crate::state::State;

/// A component file under the name that the user knows it by.
#[derive(Debug, Clone)]
pub struct ComponentFile {
    pub name: String,
    pub path: PathBuf,
    /// What its bytes must have, and had when all of them were read just now; `None`: whatever is
    /// there. Compiled code of these bytes is used without reading them again; where there is none the
    /// file is read once more, and may be another one by then.
    pub digest: Option<Digest>,
}

impl ComponentFile {
    /// A file that is believed as it is.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into(), digest: None }
    }

    fn source(&self) -> Source<'_> {
        Source { path: &self.path, verified: self.digest }
    }

    fn verify(&self, found: Digest) -> Result<(), HarnessError> {
        match self.digest {
            Some(expected) if expected != found => {
                Err(HarnessError::Altered { path: self.path.clone(), expected, found })
            }
            _ => Ok(()),
        }
    }
}

/// A middleware that was joined with a harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Middleware {
    pub name: String,
    /// SHA-256 of its own bytes.
    pub digest: Digest,
}

/// A harness, loaded once and instantiated as often as wanted. Cloning shares it.
#[derive(Clone)]
pub struct Harness {
    pub(crate) pre: Arc<Pre>,
    name: String,
    digest: Digest,
    middleware: Arc<[Middleware]>,
    imports: Arc<[String]>,
    exports: Arc<[String]>,
}

pub(crate) enum Pre {
    Async(HarnessPre<State>),
    Sync(HarnessSyncPre<State>),
}

impl Harness {
    /// Loads a component. Blocks: for a millisecond from the cache, for seconds when `compiling`
    /// is called.
    pub fn load(
        runtime: &Runtime,
        name: &str,
        path: &Path,
        compiling: impl FnOnce(),
    ) -> Result<Self, HarnessError> {
        Self::load_alone(runtime, name, path.into(), compiling)
    }

    fn load_alone(
        runtime: &Runtime,
        name: &str,
        source: Source<'_>,
        compiling: impl FnOnce(),
    ) -> Result<Self, HarnessError> {
        let engine = runtime.engine().wasmtime();
        let (component, digest) = runtime.cache().load(engine, source, compiling)?;
        Self::link(runtime, name, &component, digest, Vec::new())
    }

    /// Loads a component behind its middleware, the first of which is nearest to it: it sees a
    /// request first and an answer last. Without middleware the same as [`Harness::load`].
    pub fn load_behind(
        runtime: &Runtime,
        harness: &ComponentFile,
        middleware: &[ComponentFile],
        compiling: impl FnOnce(),
    ) -> Result<Self, HarnessError> {
        if middleware.is_empty() {
            let loaded = Self::load_alone(runtime, &harness.name, harness.source(), compiling)?;
            harness.verify(loaded.digest)?;
            return Ok(loaded);
        }
        let files: Vec<_> = std::iter::once(harness).chain(middleware).collect();
        let sources: Vec<_> = files.iter().map(|file| file.source()).collect();
        let join = |bytes: &[Vec<u8>]| {
            let parts: Vec<_> = std::iter::zip(&files, bytes)
                .map(|(file, bytes)| Part { name: &file.name, bytes })
                .collect();
            let (harness, middleware) = (parts[0], &parts[1..]);
            compose::compose(harness, middleware).map_err(HarnessError::Compose)
        };
        let engine = runtime.engine().wasmtime();
        let (component, digests) =
            runtime.cache().load_joined(engine, &sources, COMPOSER, join, compiling)?;
        for (file, digest) in std::iter::zip(&files, &digests) {
            file.verify(*digest)?;
        }
        let joined = std::iter::zip(middleware, &digests[1..])
            .map(|(file, digest)| Middleware { name: file.name.clone(), digest: *digest })
            .collect();
        Self::link(runtime, &harness.name, &component, digests[0], joined)
    }

    fn link(
        runtime: &Runtime,
        name: &str,
        component: &Component,
        digest: Digest,
        middleware: Vec<Middleware>,
    ) -> Result<Self, HarnessError> {
        let (imports, exports) = surface(runtime.engine().wasmtime(), component);
        let pre = runtime
            .linker()
            .instantiate_pre(component)
            .map_err(|error| import_refusal(&imports, error))?;
        let pre = match HarnessPre::new(pre.clone()) {
            Ok(pre) => Pre::Async(pre),
            Err(error) => match HarnessSyncPre::new(pre) {
                Ok(pre) => Pre::Sync(pre),
                Err(sync) => return Err(export_refusal(&exports, error, sync)),
            },
        };
        Ok(Self {
            pre: Arc::new(pre),
            name: name.into(),
            digest,
            middleware: middleware.into(),
            imports: imports.into(),
            exports: exports.into(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the harness's own bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What stands between it and the host, the nearest to the harness first.
    pub fn middleware(&self) -> &[Middleware] {
        &self.middleware
    }

    /// The interfaces that it and its middleware import: what they can reach at most.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    pub fn exports(&self) -> &[String] {
        &self.exports
    }
}

/// Names of the instances and functions that a component imports and exports.
fn surface(engine: &wasmtime::Engine, component: &Component) -> (Vec<String>, Vec<String>) {
    let ty = component.component_type();
    let visible = |item: &ComponentItem| {
        matches!(item, ComponentItem::ComponentInstance(_) | ComponentItem::ComponentFunc(_))
    };
    let imports = ty
        .imports(engine)
        .filter(|(_, item)| visible(&item.ty))
        .map(|(name, _)| name.to_owned())
        .collect();
    let exports = ty
        .exports(engine)
        .filter(|(_, item)| visible(&item.ty))
        .map(|(name, _)| name.to_owned())
        .collect();
    (imports, exports)
}
