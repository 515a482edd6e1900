//! The contract as a page for people: `docs/contract.md`. Called by the repository's tests.
//!
//! It is a rendering of `wit/` and says nothing of its own besides the first paragraph.

use std::fmt::Write;

use wit_parser::{
    Function, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, World, WorldId,
    WorldItem, WorldKey,
};

use crate::text::{Text, members};
use crate::wit::{Contract, NAMESPACE};

const INTRODUCTION: &str = "\
# The contract

Everything that crosses the sandbox, version VERSION. Made from the files in `wit/` by
`UPDATE_EXPECTED=1 cargo test -p contract`; change those, not this page.

Imports are plain functions: they may wait on the host, and a guest that waits holds no thread.
Types are in WIT, the interface language of the WebAssembly component model.
";

/// The whole page, the same for the same contract.
pub fn render(contract: &Contract) -> anyhow::Result<String> {
    let mut page = Page { contract, text: String::new() };
    page.text.push_str(&INTRODUCTION.replace("VERSION", &contract.version()?.to_string()));
    page.contents();
    page.worlds();
    for package in &contract.packages {
        for id in contract.resolve.packages[*package].interfaces.values() {
            page.interface(*id);
        }
    }
    Ok(page.text)
}

struct Page<'a> {
    contract: &'a Contract,
    text: String,
}

impl<'a> Page<'a> {
    fn resolve(&self) -> &'a Resolve {
        &self.contract.resolve
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// A paragraph, an empty line before it.
    fn paragraph(&mut self, text: impl AsRef<str>) {
        self.line("");
        self.line(text.as_ref().trim_end());
    }

    fn docs(&mut self, docs: Option<&str>) {
        if let Some(docs) = docs {
            self.paragraph(docs);
        }
    }

    fn contents(&mut self) {
        self.paragraph("| package | interfaces |\n|---|---|");
        for package in &self.contract.packages {
            let interfaces: Vec<_> = self.resolve().packages[*package]
                .interfaces
                .values()
                .map(|id| {
                    let name = self.resolve().interfaces[*id].name.as_deref().unwrap_or_default();
                    format!("[{name}](#{})", anchor(&self.interface_name(*id)))
                })
                .collect();
            let name = self.contract.name(*package);
            self.line(format!(
                "| `{}:{}` | {} |",
                name.namespace,
                name.name,
                interfaces.join(", ")
            ));
        }
    }

    fn worlds(&mut self) {
        self.paragraph("## Worlds");
        for package in &self.contract.packages {
            for id in self.contract.resolve.packages[*package].worlds.values() {
                self.world(*id);
            }
        }
    }

    fn world(&mut self, id: WorldId) {
        let world = &self.contract.resolve.worlds[id];
        self.paragraph(format!("### World `{}`", world.name));
        self.docs(world.docs.contents.as_deref());
        let base = self.base_of(id);
        let in_base = |key: &WorldKey| base.is_some_and(|base| base.imports.contains_key(key));
        let mut imports: Vec<_> =
            base.map(|base| format!("everything of world `{}`", base.name)).into_iter().collect();
        let own = world.imports.iter().filter(|(key, _)| !in_base(key));
        imports.extend(own.map(|(key, item)| self.world_item(key, item)));
        let exports = world.exports.iter().map(|(key, item)| self.world_item(key, item)).collect();
        for (verb, items) in [("Imports", imports), ("Exports", exports)] {
            if !items.is_empty() {
                self.paragraph(format!("{verb}: {}.", items.join(", ")));
            }
        }
    }

    /// The world to be included that this one includes: one without exports, all of whose imports
    /// are here too.
    fn base_of(&self, id: WorldId) -> Option<&'a World> {
        let resolve = &self.contract.resolve;
        let world = &resolve.worlds[id];
        let package = &resolve.packages[world.package?];
        let others = package.worlds.values().filter(|other| **other != id);
        others.map(|other| &resolve.worlds[*other]).find(|other| {
            let is_base = other.exports.is_empty() && !other.imports.is_empty();
            is_base && other.imports.keys().all(|key| world.imports.contains_key(key))
        })
    }

    fn world_item(&self, key: &WorldKey, item: &WorldItem) -> String {
        match (key, item) {
            (WorldKey::Interface(id), _) => self.link(*id),
            (WorldKey::Name(name), WorldItem::Function(function)) => {
                format!("`{name}: {}`", self.text(None).signature(function))
            }
            (WorldKey::Name(name), _) => format!("`{name}`"),
        }
    }

    /// E.g. `llm/chat`; with namespace and version where it is not ours.
    fn interface_name(&self, id: InterfaceId) -> String {
        let interface = &self.resolve().interfaces[id];
        let name = interface.name.as_deref().unwrap_or_default();
        let Some(package) = interface.package.map(|id| &self.resolve().packages[id].name) else {
            return name.into();
        };
        match package.namespace.as_str() {
            NAMESPACE => format!("{}/{name}", package.name),
            _ => package.interface_id(name),
        }
    }

    fn link(&self, id: InterfaceId) -> String {
        let name = self.interface_name(id);
        match name.contains(':') {
            true => format!("`{name}`"),
            false => format!("[{name}](#{})", anchor(&name)),
        }
    }

    /// Texts in which a type of `home` or used there goes by its own name.
    fn text(&self, home: Option<InterfaceId>) -> SignatureText<'_> {
        SignatureText { page: self, home }
    }

    fn interface(&mut self, id: InterfaceId) {
        let contract = self.contract;
        let interface = &contract.resolve.interfaces[id];
        let name = self.interface_name(id);
        self.paragraph(format!("<a id=\"{}\"></a>", anchor(&name)));
        self.paragraph(format!("## Interface `{name}`"));
        self.docs(interface.docs.contents.as_deref());
        self.uses(id);
        for function in interface.functions.values() {
            if function.kind.resource().is_none() {
                self.function(id, function, "###");
            }
        }
        for (name, ty) in &interface.types {
            if foreign_owner(&contract.resolve, id, *ty).is_none() {
                self.ty(id, name, *ty);
            }
        }
    }

    fn uses(&mut self, id: InterfaceId) {
        let resolve = self.resolve();
        let used: Vec<_> = resolve.interfaces[id]
            .types
            .iter()
            .filter_map(|(name, ty)| Some((name, foreign_owner(resolve, id, *ty)?)))
            .map(|(name, owner)| format!("`{name}` from {}", self.link(owner)))
            .collect();
        if !used.is_empty() {
            self.paragraph(format!("Uses {}.", used.join(", ")));
        }
    }

    fn function(&mut self, home: InterfaceId, function: &Function, heading: &str) {
        let signature = self.text(Some(home)).signature(function);
        let name = crate::text::function_name(self.resolve(), function);
        self.paragraph(format!("{heading} `{name}`"));
        let own = match signature.starts_with("constructor") {
            true => signature,
            false => format!("{}: {signature}", function.item_name()),
        };
        self.paragraph(format!("```wit\n{own};\n```"));
        self.docs(function.docs.contents.as_deref());
    }

    fn ty(&mut self, home: InterfaceId, name: &str, id: TypeId) {
        let contract = self.contract;
        let ty = &contract.resolve.types[id];
        let kind = match ty.kind {
            TypeDefKind::Resource => "resource",
            _ if members(&ty.kind).is_some() => ty.kind.as_str(),
            _ => "type",
        };
        self.paragraph(format!("### {kind} `{name}`"));
        self.docs(ty.docs.contents.as_deref());
        if let Some(members) = members(&ty.kind) {
            self.line("");
            for member in members {
                let inside = member.ty.map(|ty| self.text(Some(home)).of(ty));
                let shown = match (&ty.kind, inside) {
                    (TypeDefKind::Record(_), Some(inside)) => format!("{}: {inside}", member.name),
                    (_, Some(inside)) => format!("{}({inside})", member.name),
                    (_, None) => member.name.into(),
                };
                self.member(&shown, member.docs);
            }
        } else if !matches!(ty.kind, TypeDefKind::Resource) {
            let of = self.text(Some(home)).of_kind(id);
            self.paragraph(format!("```wit\ntype {name} = {of};\n```"));
        }
        for function in contract.resolve.interfaces[home].functions.values() {
            if function.kind.resource() == Some(id) {
                self.function(home, function, "####");
            }
        }
    }

    /// A list item; further paragraphs of its docs stay within it.
    fn member(&mut self, shown: &str, docs: Option<&str>) {
        let Some(docs) = docs else { return self.line(format!("- `{shown}`")) };
        let mut item = format!("- `{shown}`:");
        for (index, line) in docs.trim_end().lines().enumerate() {
            let _ = match (index, line.is_empty()) {
                (0, _) => write!(item, " {line}"),
                (_, true) => writeln!(item),
                (_, false) => write!(item, "\n  {line}"),
            };
        }
        self.line(item);
    }
}

/// Signatures and types as an interface shows them.
struct SignatureText<'a> {
    page: &'a Page<'a>,
    home: Option<InterfaceId>,
}

impl SignatureText<'_> {
    fn with<T>(&self, use_text: impl FnOnce(Text<'_>) -> T) -> T {
        let resolve = self.page.resolve();
        let name = |id: TypeId| {
            let ty = &resolve.types[id];
            let own = ty.name.as_deref().unwrap_or_default();
            match ty.owner {
                TypeOwner::Interface(owner) if Some(owner) != self.home => {
                    format!("{}.{own}", self.page.interface_name(owner))
                }
                _ => own.into(),
            }
        };
        use_text(Text { resolve, name: &name })
    }

    fn signature(&self, function: &Function) -> String {
        self.with(|text| text.signature(function))
    }

    fn of(&self, ty: &Type) -> String {
        self.with(|text| text.of(ty))
    }

    fn of_kind(&self, id: TypeId) -> String {
        self.with(|text| text.of_kind(id))
    }
}

/// The interface that a `use` in `home` takes the type from; `None` for a type of its own.
fn foreign_owner(resolve: &Resolve, home: InterfaceId, id: TypeId) -> Option<InterfaceId> {
    let TypeDefKind::Type(Type::Id(of)) = resolve.types[id].kind else { return None };
    match resolve.types[of].owner {
        TypeOwner::Interface(owner) if owner != home => Some(owner),
        _ => None,
    }
}

fn anchor(interface: &str) -> String {
    interface.replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_all_there_is() {
        let source = "package xpressclaw:a@0.1.0;\n\
            package wasi:x@0.2.0 { interface i { resource r; } }\n\
            /// An interface.\n\
            interface i {\n\
              use wasi:x/i@0.2.0.{r};\n\
              /// A record.\n\
              record t { /// First.\n///\n/// Second.\n a: option<u8>, b: r }\n\
              variant v { a(t), b }\n\
              flags f { x }\n\
              type l = list<t>;\n\
              /// A resource.\n\
              resource s { constructor(); /// Goes.\n go: async func(t: t) -> l; }\n\
              /// Gets.\n\
              get: func() -> s;\n\
            }\n\
            /// A world.\n\
            world w { import i; import f: func(v: u8); export wasi:x/i@0.2.0; }\n\
            world b { import i; }";
        let page = render(&Contract::parse("test", source).unwrap()).unwrap();
        let expected = "\
| package | interfaces |
|---|---|
| `xpressclaw:a` | [i](#a-i) |

## Worlds

### World `w`

A world.

Imports: everything of world `b`, `f: func(v: u8)`.

Exports: `wasi:x/i@0.2.0`.

### World `b`

Imports: `wasi:x/i@0.2.0`, [a/i](#a-i).

<a id=\"a-i\"></a>

## Interface `a/i`

An interface.

Uses `r` from `wasi:x/i@0.2.0`.

### `get`

```wit
get: func() -> s;
```

Gets.

### record `t`

A record.

- `a: option<u8>`: First.

  Second.
- `b: r`

### variant `v`

- `a(t)`
- `b`

### flags `f`

- `x`

### type `l`

```wit
type l = list<t>;
```

### resource `s`

A resource.

#### `s.constructor`

```wit
constructor();
```

#### `s.go`

```wit
go: async func(t: t) -> l;
```

Goes.
";
        let (_, shown) = page.split_once("component model.\n\n").unwrap();
        assert_eq!(shown, expected);
    }
}
