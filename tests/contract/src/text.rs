//! Types and functions as WIT text. Called by the reference page and by the comparison, which
//! differ only in how they name a type.

use wit_parser::{Docs, Function, FunctionKind, Handle, Resolve, Type, TypeDefKind, TypeId};

/// WIT text for one reader.
pub struct Text<'a> {
    pub resolve: &'a Resolve,
    /// How a named type is written.
    pub name: &'a dyn Fn(TypeId) -> String,
}

impl Text<'_> {
    /// A type where it is used, e.g. `list<part>`.
    pub fn of(&self, ty: &Type) -> String {
        let id = match ty {
            Type::Id(id) => *id,
            Type::Bool => return "bool".into(),
            Type::U8 => return "u8".into(),
            Type::U16 => return "u16".into(),
            Type::U32 => return "u32".into(),
            Type::U64 => return "u64".into(),
            Type::S8 => return "s8".into(),
            Type::S16 => return "s16".into(),
            Type::S32 => return "s32".into(),
            Type::S64 => return "s64".into(),
            Type::F32 => return "f32".into(),
            Type::F64 => return "f64".into(),
            Type::Char => return "char".into(),
            Type::String => return "string".into(),
            Type::ErrorContext => return "error-context".into(),
        };
        if self.resolve.types[id].name.is_some() {
            return (self.name)(id);
        }
        self.of_kind(id)
    }

    /// What a type is, whatever it is called.
    pub fn of_kind(&self, id: TypeId) -> String {
        match &self.resolve.types[id].kind {
            TypeDefKind::Handle(Handle::Own(id)) => (self.name)(*id),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", (self.name)(*id)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|ty| self.of(ty)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Option(ty) => format!("option<{}>", self.of(ty)),
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".into(),
                (Some(ok), None) => format!("result<{}>", self.of(ok)),
                (ok, Some(err)) => {
                    let ok = ok.as_ref().map_or_else(|| "_".into(), |ty| self.of(ty));
                    format!("result<{ok}, {}>", self.of(err))
                }
            },
            TypeDefKind::List(ty) => format!("list<{}>", self.of(ty)),
            TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", self.of(ty)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", self.of(key), self.of(value)),
            TypeDefKind::Future(ty) => self.wrapped("future", ty.as_ref()),
            TypeDefKind::Stream(ty) => self.wrapped("stream", ty.as_ref()),
            TypeDefKind::Type(ty) => self.of(ty),
            // Named by the grammar of WIT, so never reached without a name.
            TypeDefKind::Record(_)
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Unknown => self.resolve.types[id].kind.as_str().into(),
        }
    }

    fn wrapped(&self, outer: &str, inner: Option<&Type>) -> String {
        inner.map_or_else(|| outer.into(), |ty| format!("{outer}<{}>", self.of(ty)))
    }

    /// A function without its name, e.g. `async func(id: string) -> bool`. A method's `self` is
    /// left out, as in WIT.
    pub fn signature(&self, function: &Function) -> String {
        let skipped = match function.kind {
            FunctionKind::Method(_) | FunctionKind::AsyncMethod(_) => 1,
            _ => 0,
        };
        let params: Vec<_> = function
            .params
            .iter()
            .skip(skipped)
            .map(|param| format!("{}: {}", param.name, self.of(&param.ty)))
            .collect();
        let keyword = match function.kind {
            FunctionKind::Constructor(_) => return format!("constructor({})", params.join(", ")),
            FunctionKind::Static(_) => "static func",
            FunctionKind::AsyncStatic(_) => "static async func",
            FunctionKind::Freestanding | FunctionKind::Method(_) => "func",
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async func",
        };
        let result = function.result.as_ref().map(|ty| format!(" -> {}", self.of(ty)));
        format!("{keyword}({}){}", params.join(", "), result.unwrap_or_default())
    }
}

/// A function's name within its interface: a method's has its resource in front.
pub fn function_name(resolve: &Resolve, function: &Function) -> String {
    let resource = function.kind.resource().and_then(|id| resolve.types[id].name.as_deref());
    let own = match function.kind {
        FunctionKind::Constructor(_) => "constructor",
        _ => function.item_name(),
    };
    resource.map_or_else(|| own.into(), |resource| format!("{resource}.{own}"))
}

/// The definition that a `use` leads to.
pub fn origin(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[id].kind {
        if resolve.types[next].name.is_none() {
            break;
        }
        id = next;
    }
    id
}

/// The parts of a type that is made of named parts: fields, cases, flags.
pub struct Member<'a> {
    pub name: &'a str,
    pub ty: Option<&'a Type>,
    pub docs: Option<&'a str>,
}

impl<'a> Member<'a> {
    fn new(name: &'a str, ty: Option<&'a Type>, docs: &'a Docs) -> Self {
        Self { name, ty, docs: docs.contents.as_deref() }
    }
}

/// What a record, variant, enum or flags type is made of; `None` for any other type.
pub fn members(kind: &TypeDefKind) -> Option<Vec<Member<'_>>> {
    Some(match kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|f| Member::new(&f.name, Some(&f.ty), &f.docs)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|c| Member::new(&c.name, c.ty.as_ref(), &c.docs)).collect()
        }
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|c| Member::new(&c.name, None, &c.docs)).collect()
        }
        TypeDefKind::Flags(flags) => {
            flags.flags.iter().map(|f| Member::new(&f.name, None, &f.docs)).collect()
        }
        _ => return None,
    })
}

/// What a member of such a type is called.
pub fn member_noun(kind: &TypeDefKind) -> &'static str {
    match kind {
        TypeDefKind::Record(_) => "field",
        TypeDefKind::Flags(_) => "flag",
        _ => "case",
    }
}

#[cfg(test)]
mod tests {
    use crate::wit::Contract;

    use super::*;

    fn check(declaration: &str, expected: &str) {
        let source = format!(
            "package xpressclaw:a@0.1.0;\n\
             interface i {{ resource r {{ {declaration} }} record t {{ b: bool }} }}"
        );
        let contract = Contract::parse("test", &source).unwrap();
        let resolve = &contract.resolve;
        let name = |id: TypeId| resolve.types[id].name.clone().unwrap_or_default();
        let text = Text { resolve, name: &name };
        let (_, interface) = resolve.interfaces.iter().next().unwrap();
        let function = interface.functions.values().next().unwrap();
        let shown = format!("{}: {}", function_name(resolve, function), text.signature(function));
        assert_eq!(shown, expected);
    }

    #[test]
    fn functions_read_as_they_were_written() {
        for (declaration, expected) in [
            ("f: func();", "r.f: func()"),
            ("f: async func() -> t;", "r.f: async func() -> t"),
            ("f: static func() -> r;", "r.f: static func() -> r"),
            ("f: static async func();", "r.f: static async func()"),
            ("constructor(n: u8);", "r.constructor: constructor(n: u8)"),
            ("f: func(r: borrow<r>, o: r);", "r.f: func(r: borrow<r>, o: r)"),
            ("f: func() -> result<_, t>;", "r.f: func() -> result<_, t>"),
            ("f: func() -> result<t>;", "r.f: func() -> result<t>"),
            ("f: func() -> result;", "r.f: func() -> result"),
            (
                "f: func(a: list<tuple<string, option<f64>>>) -> result<bool, s32>;",
                "r.f: func(a: list<tuple<string, option<f64>>>) -> result<bool, s32>",
            ),
            (
                "f: func(s: stream<u8>, f: future) -> char;",
                "r.f: func(s: stream<u8>, f: future) -> char",
            ),
        ] {
            check(declaration, expected);
        }
    }
}
