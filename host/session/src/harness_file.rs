//! A harness component on disk, checked against the contract and ready to be instantiated.

use std::path::Path;
use std::sync::Arc;

use bindings::{harness::HarnessPre, harness_sync::HarnessSyncPre};
use engine::{Digest, LoadError};
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::runtime::Runtime;
use crate::state::State;

#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "it imports what this host does not offer; build it against the contract {} (`xpressclaw:harness`), or update xpressclaw",
        verbs::CONTRACT
    )]
    Import(#[source] wasmtime::Error),
    #[error(
        "it is no harness: it exports neither `xpressclaw:harness/agent@{version}` nor `agent-sync@{version}`; build it for the world `harness` or `harness-sync`",
        version = verbs::CONTRACT
    )]
    World(#[source] wasmtime::Error),
}

/// A harness, loaded once and instantiated as often as wanted. Cloning shares it.
#[derive(Clone)]
pub struct Harness {
    pub(crate) pre: Arc<Pre>,
    name: String,
    digest: Digest,
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
        let engine = runtime.engine().wasmtime();
        let (component, digest) = runtime.cache().load(engine, path, compiling)?;
        let (imports, exports) = surface(engine, &component);
        let pre = runtime.linker().instantiate_pre(&component).map_err(HarnessError::Import)?;
        let pre = match HarnessPre::new(pre.clone()) {
            Ok(pre) => Pre::Async(pre),
            Err(error) => match HarnessSyncPre::new(pre) {
                Ok(pre) => Pre::Sync(pre),
                Err(_) => return Err(HarnessError::World(error)),
            },
        };
        Ok(Self {
            pre: Arc::new(pre),
            name: name.into(),
            digest,
            imports: imports.into(),
            exports: exports.into(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The interfaces that it imports: what it can reach at most.
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
