//! The worlds that the host runs, as types: each with the contract's imports and with WASI, which
//! the host links for every component besides.

use std::collections::{BTreeMap, BTreeSet};

use wac_types::{ItemKind, Package, Type, Types, WorldId, validate_target};

use crate::wit::{self, WitError};

/// The worlds of a component that the host can run, as a harness or before one. The first is what a
/// component that exports nothing known is compared with.
pub const WORLDS: [&str; 4] = ["harness", "harness-sync", "llm-middleware", "tools-middleware"];

const WASI: &str = "\
    include wasi:cli/imports@0.2.12;\n\
    import wasi:http/types@0.2.12;\n\
    import wasi:http/outgoing-handler@0.2.12;\n";
/// A package of our own making, so that it cannot clash with one of the contract.
const TARGETS: &str = "kit:targets";

/// See the module.
pub struct Targets {
    worlds: BTreeMap<&'static str, WorldId>,
    offered: BTreeSet<String>,
    contract: String,
}

impl Targets {
    /// Puts the worlds among `types`, where components can be compared with them.
    pub fn new(types: &mut Types) -> Result<Self, WitError> {
        let broken = |error: String| WitError::Broken(error);
        let (mut resolve, root) = wit::resolve()?;
        let package = resolve.packages[root].name.clone();
        let mut text = format!("package {TARGETS};\n");
        for world in WORLDS {
            let included = package.interface_id(world);
            text.push_str(&format!("world {world} {{ include {included};\n{WASI} }}\n"));
        }
        let id = resolve
            .push_source("targets.wit", &text)
            .map_err(|error| broken(resolve.render_error(&error)))?;
        let encoded =
            wit_component::encode(&resolve, id).map_err(|error| broken(format!("{error:#}")))?;
        let contract = Package::from_bytes("contract", None, encoded, types)
            .map_err(|error| broken(format!("{error:#}")))?;
        let mut worlds = BTreeMap::new();
        let mut offered = BTreeSet::new();
        for name in WORLDS {
            let world = encoded_world(types, contract.ty(), name)
                .ok_or_else(|| broken(format!("it has no world `{name}`")))?;
            offered.extend(types[world].imports.keys().cloned());
            worlds.insert(name, world);
        }
        let version = package.version.map(|version| version.to_string()).unwrap_or_default();
        Ok(Self { worlds, offered, contract: version })
    }

    /// The contract's version.
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// Every interface that the host links for some world.
    pub fn offered(&self) -> impl Iterator<Item = &str> {
        self.offered.iter().map(String::as_str)
    }

    /// The world whose exports a component has.
    pub fn world_of(&self, types: &Types, component: WorldId) -> Option<&'static str> {
        let has = |world: &WorldId| {
            let mut exports = types[*world].exports.keys();
            exports.all(|name| types[component].exports.contains_key(name))
        };
        WORLDS.into_iter().find(|name| self.worlds.get(name).is_some_and(has))
    }

    /// Whether the world demands that export.
    pub fn is_demanded(&self, types: &Types, export: &str, world: &str) -> bool {
        self.worlds.get(world).is_some_and(|world| types[*world].exports.contains_key(export))
    }

    /// Imports that the world does not have, and imports and exports with other types, each with
    /// what differs.
    pub fn differences(
        &self,
        types: &Types,
        component: WorldId,
        world: &str,
    ) -> (BTreeSet<String>, BTreeMap<String, String>) {
        let Some(target) = self.worlds.get(world) else { return Default::default() };
        match validate_target(types, *target, component) {
            Ok(()) => Default::default(),
            Err(report) => (
                report.imports_not_in_target().map(str::to_owned).collect(),
                report
                    .mismatched_types()
                    .map(|(name, _, error)| (name.to_owned(), format!("{error:#}")))
                    .collect(),
            ),
        }
    }
}

/// An encoded package exports each world as a component type that exports the world itself.
fn encoded_world(types: &Types, package: WorldId, world: &str) -> Option<WorldId> {
    let Some(ItemKind::Type(Type::World(outer))) = types[package].exports.get(world) else {
        return None;
    };
    match types[*outer].exports.values().next() {
        Some(ItemKind::Component(world)) => Some(*world),
        _ => None,
    }
}
