//! The composition itself: one chain for each interface that middleware stands at.
//!
//! wac's own `plug` leaves out an import whose types do not match and says nothing, so the graph is
//! built here edge by edge, and looked through afterwards.

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

use crate::error::ComposeError;
use crate::surface::{SEAMS, fits, interface, is_for_middleware};
use crate::{MIDDLEWARE_MAX, Part};

/// A part in the graph.
struct Joined<'a> {
    name: &'a str,
    instance: NodeId,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Joins `harness` with `middleware`, the first of which is nearest to the harness: it sees a
/// request first and an answer last. Takes as long as validating the bytes does.
pub fn compose(harness: Part<'_>, middleware: &[Part<'_>]) -> Result<Vec<u8>, ComposeError> {
    if middleware.len() > MIDDLEWARE_MAX {
        return Err(ComposeError::TooMany { count: middleware.len() });
    }
    let mut graph = Graph::default();
    let harness = graph.add(harness)?;
    let middleware = middleware
        .iter()
        .map(|part| {
            let joined = graph.add(*part)?;
            check(&joined)?;
            Ok(joined)
        })
        .collect::<Result<Vec<_>, ComposeError>>()?;
    for seam in SEAMS {
        let chain: Vec<_> =
            middleware.iter().filter(|part| named(&part.exports, seam).is_some()).collect();
        let mut inner = &harness;
        for outer in &chain {
            graph.join(inner, outer, seam)?;
            inner = outer;
        }
        if !chain.is_empty() {
            graph.look_through(seam, inner)?;
        }
    }
    graph.export(&harness)?;
    let options = EncodeOptions { define_components: true, validate: true, processor: None };
    graph.graph.encode(options).map_err(|error| ComposeError::Encode(Box::new(error)))
}

fn check(part: &Joined<'_>) -> Result<(), ComposeError> {
    let middleware = || part.name.to_owned();
    if !SEAMS.iter().any(|seam| named(&part.exports, seam).is_some()) {
        return Err(ComposeError::NoMiddleware { middleware: middleware() });
    }
    match part.imports.iter().find(|import| !is_for_middleware(import)) {
        Some(import) => {
            Err(ComposeError::Overreach { middleware: middleware(), interface: import.clone() })
        }
        None => Ok(()),
    }
}

/// The full name of an interface in a list, whatever its version.
fn named<'a>(names: &'a [String], seam: &str) -> Option<&'a str> {
    names.iter().map(String::as_str).find(|name| interface(name) == seam)
}

#[derive(Default)]
struct Graph<'a> {
    graph: CompositionGraph,
    /// The same bytes are put into the result once, however often they are instantiated.
    packages: Vec<(&'a [u8], PackageId)>,
}

impl<'a> Graph<'a> {
    fn add(&mut self, part: Part<'a>) -> Result<Joined<'a>, ComposeError> {
        let package = match self.packages.iter().find(|(bytes, _)| *bytes == part.bytes) {
            Some((_, package)) => *package,
            None => {
                let package = self.register(part)?;
                self.packages.push((part.bytes, package));
                package
            }
        };
        let world = &self.graph.types()[self.graph[package].ty()];
        let imports = world.imports.keys().cloned().collect();
        let exports = world.exports.keys().cloned().collect();
        let instance = self.graph.instantiate(package);
        Ok(Joined { name: part.name, instance, imports, exports })
    }

    fn register(&mut self, part: Part<'_>) -> Result<PackageId, ComposeError> {
        let malformed =
            |reason: String| ComposeError::Malformed { part: part.name.to_owned(), reason };
        let name = format!("part:n{}", self.packages.len());
        let types = self.graph.types_mut();
        let package = Package::from_bytes(&name, None, part.bytes.to_vec(), types)
            .map_err(|error| malformed(format!("{error:#}")))?;
        self.graph.register_package(package).map_err(|error| malformed(error.to_string()))
    }

    /// Gives `inner` what `outer` exports at `seam`.
    fn join(
        &mut self,
        inner: &Joined<'_>,
        outer: &Joined<'_>,
        seam: &'static str,
    ) -> Result<(), ComposeError> {
        let (part, middleware) = (inner.name.to_owned(), outer.name.to_owned());
        let Some(wanted) = named(&inner.imports, seam) else {
            return Err(ComposeError::PassedBy { part, interface: seam, middleware });
        };
        let offered = named(&outer.exports, seam).unwrap_or(seam);
        if !fits(offered, wanted) {
            let (wanted, offered) = (wanted.to_owned(), offered.to_owned());
            return Err(ComposeError::Version { part, wanted, middleware, offered });
        }
        let unjoined = || ComposeError::Unjoined { part: part.clone(), interface: wanted.into() };
        let export =
            self.graph.alias_instance_export(outer.instance, offered).map_err(|_| unjoined())?;
        self.graph.set_instantiation_argument(inner.instance, wanted, export).map_err(|source| {
            ComposeError::Mismatch {
                part: part.clone(),
                interface: wanted.to_owned(),
                middleware,
                source: Box::new(source),
            }
        })
    }

    /// Only the `last` of a chain may still ask the host for what the chain stands at.
    fn look_through(&self, seam: &str, last: &Joined<'_>) -> Result<(), ComposeError> {
        let open = self.graph.imports().filter(|(name, ..)| interface(name) == seam).count();
        let expected = usize::from(named(&last.imports, seam).is_some());
        if open == expected {
            return Ok(());
        }
        Err(ComposeError::Unjoined { part: last.name.to_owned(), interface: seam.to_owned() })
    }

    /// What the harness exports is what the whole exports.
    fn export(&mut self, harness: &Joined<'_>) -> Result<(), ComposeError> {
        for name in &harness.exports {
            let malformed =
                |reason: String| ComposeError::Malformed { part: harness.name.to_owned(), reason };
            let export = self
                .graph
                .alias_instance_export(harness.instance, name)
                .map_err(|error| malformed(error.to_string()))?;
            self.graph.export(export, name).map_err(|error| malformed(error.to_string()))?;
        }
        Ok(())
    }
}
