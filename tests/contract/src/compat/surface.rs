//! Everything in our packages that a component or a host can depend on, as flat paths. Called by
//! the comparison. Docs are no part of it, nor is the contract's own version: both sides of a
//! comparison have another one.

use std::collections::BTreeMap;

use wit_parser::{
    InterfaceId, PackageName, Resolve, Type, TypeDefKind, TypeId, WorldItem, WorldKey,
};

use crate::text::{Text, function_name, member_noun, members, origin};
use crate::wit::{Contract, NAMESPACE};

/// What one version of the contract offers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// By path: `xpressclaw:llm/chat.completion.next`, or `xpressclaw:harness/harness import
    /// xpressclaw:llm/chat`.
    pub(super) items: BTreeMap<String, Item>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// `function`, `record`, `interface`, …
    pub kind: &'static str,
    pub shape: Shape,
    pub side: Side,
}

/// Who must have the item for a component to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Offered: what is added here is there for whoever knows it.
    Host,
    /// Demanded of components: what is added here is missing in those already built.
    Guest,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing but its name.
    Name,
    /// WIT text: a signature, a type.
    Text(String),
    /// Parts in order, each with its WIT text.
    Members { noun: &'static str, members: Vec<(String, String)> },
}

impl Surface {
    /// Lists what `contract` offers in our packages.
    pub fn of(contract: &Contract) -> Self {
        let resolve = &contract.resolve;
        let mut surface = Self::default();
        for package in &contract.packages {
            for (name, id) in &resolve.packages[*package].interfaces {
                let path = format!("{}/{name}", plain(contract.name(*package)));
                surface.interface(resolve, &path, *id);
            }
            for (name, id) in &resolve.packages[*package].worlds {
                let path = format!("{}/{name}", plain(contract.name(*package)));
                surface.add(path.clone(), "world", Shape::Name, Side::Host);
                let world = &resolve.worlds[*id];
                for (key, item) in &world.imports {
                    surface.world_item(resolve, &format!("{path} import"), key, item, Side::Host);
                }
                for (key, item) in &world.exports {
                    surface.world_item(resolve, &format!("{path} export"), key, item, Side::Guest);
                }
            }
        }
        surface
    }

    fn add(&mut self, path: String, kind: &'static str, shape: Shape, side: Side) {
        self.items.insert(path, Item { kind, shape, side });
    }

    fn interface(&mut self, resolve: &Resolve, path: &str, id: InterfaceId) {
        let side = match is_exported(resolve, id) {
            true => Side::Guest,
            false => Side::Host,
        };
        self.add(path.into(), "interface", Shape::Name, Side::Host);
        let name = |id| qualified(resolve, id);
        let text = Text { resolve, name: &name };
        for function in resolve.interfaces[id].functions.values() {
            let path = format!("{path}.{}", function_name(resolve, function));
            self.add(path, "function", Shape::Text(text.signature(function)), side);
        }
        for (type_name, id) in &resolve.interfaces[id].types {
            let (kind, shape) = type_shape(resolve, &text, *id);
            self.add(format!("{path}.{type_name}"), kind, shape, Side::Host);
        }
    }

    fn world_item(
        &mut self,
        resolve: &Resolve,
        path: &str,
        key: &WorldKey,
        item: &WorldItem,
        side: Side,
    ) {
        let name = |id| qualified(resolve, id);
        let text = Text { resolve, name: &name };
        let key = match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(id) => interface_name(resolve, *id),
        };
        let path = format!("{path} {key}");
        match item {
            WorldItem::Interface { .. } => self.add(path, "interface", Shape::Name, side),
            WorldItem::Function(function) => {
                self.add(path, "function", Shape::Text(text.signature(function)), side);
            }
            WorldItem::Type { id, .. } => {
                let (kind, shape) = type_shape(resolve, &text, *id);
                self.add(path, kind, shape, side);
            }
        }
    }
}

fn type_shape(resolve: &Resolve, text: &Text<'_>, id: TypeId) -> (&'static str, Shape) {
    let ty = &resolve.types[id];
    if let Some(parts) = members(&ty.kind) {
        let part = |ty: Option<&Type>| ty.map_or_else(String::new, |ty| text.of(ty));
        let members = parts.iter().map(|member| (member.name.to_owned(), part(member.ty)));
        let noun = member_noun(&ty.kind);
        return (ty.kind.as_str(), Shape::Members { noun, members: members.collect() });
    }
    match &ty.kind {
        TypeDefKind::Resource => ("resource", Shape::Name),
        // A `use`, or another name for a type: what it leads to counts.
        TypeDefKind::Type(of) => ("type", Shape::Text(text.of(of))),
        _ => ("type", Shape::Text(text.of_kind(id))),
    }
}

/// A named type from anywhere, with its interface and without our version.
fn qualified(resolve: &Resolve, id: TypeId) -> String {
    let ty = &resolve.types[origin(resolve, id)];
    let name = ty.name.as_deref().unwrap_or_default();
    match ty.owner {
        wit_parser::TypeOwner::Interface(id) => format!("{}.{name}", interface_name(resolve, id)),
        _ => name.into(),
    }
}

fn interface_name(resolve: &Resolve, id: InterfaceId) -> String {
    let interface = &resolve.interfaces[id];
    let name = interface.name.as_deref().unwrap_or_default();
    let package = interface.package.map(|id| plain(&resolve.packages[id].name));
    package.map_or_else(|| name.into(), |package| format!("{package}/{name}"))
}

/// Ours without a version; others with the part of it that tells incompatible ones apart, because
/// linkers accept every version within.
fn plain(package: &PackageName) -> String {
    let PackageName { namespace, name, version } = package;
    match version {
        Some(version) if namespace != NAMESPACE => {
            let track = PackageName::version_compat_track_string(version);
            format!("{namespace}:{name}@{track}")
        }
        _ => format!("{namespace}:{name}"),
    }
}

fn is_exported(resolve: &Resolve, id: InterfaceId) -> bool {
    resolve.worlds.iter().any(|(_, world)| {
        world.exports.values().any(
            |item| matches!(item, WorldItem::Interface { id: exported, .. } if *exported == id),
        )
    })
}
