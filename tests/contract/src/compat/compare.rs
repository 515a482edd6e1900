//! What changed between two surfaces, and whom it breaks. Called by the repository's tests.
//!
//! The component model compares records, variants, enums and flags exactly, so a new field or case
//! breaks like a removed one. A new function or interface breaks nobody, except where components
//! must export it: those already built do not.

use std::fmt;

use super::surface::{Item, Shape, Side, Surface};

/// One difference, at one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub effect: Effect,
    /// E.g. ``record xpressclaw:llm/types.request: field `stop` was removed``.
    pub text: String,
}

/// What a difference does to components that are already built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: there is more to use.
    Adds,
    /// Some of them no longer link.
    Breaks,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Every difference from `old` to `new`, ordered by path. An interface or world that came or went
/// is one difference, whatever was in it.
pub fn compare(old: &Surface, new: &Surface) -> Vec<Change> {
    let mut changes = Vec::new();
    let paths: std::collections::BTreeSet<_> = old.items.keys().chain(new.items.keys()).collect();
    let mut wholes: Vec<&str> = Vec::new();
    for path in paths {
        if wholes.iter().any(|whole| is_within(path, whole)) {
            continue;
        }
        match (old.items.get(path), new.items.get(path)) {
            (Some(item), None) => {
                wholes.push(path);
                changes.push(breaks(path, item, "was removed"));
            }
            (None, Some(item)) => {
                wholes.push(path);
                changes.push(match item.side {
                    Side::Host => {
                        let text = format!("{} {path} was added", item.kind);
                        Change { effect: Effect::Adds, text }
                    }
                    Side::Guest => {
                        breaks(path, item, "was added, and components already built lack it")
                    }
                });
            }
            (Some(old), Some(new)) => item(path, old, new, &mut changes),
            (None, None) => {}
        }
    }
    changes
}

/// Whether `path` is an item of the interface or world at `whole`.
fn is_within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.starts_with(['.', ' ']))
}

fn breaks(path: &str, item: &Item, what: impl fmt::Display) -> Change {
    Change { effect: Effect::Breaks, text: format!("{} {path} {what}", item.kind) }
}

fn item(path: &str, old: &Item, new: &Item, changes: &mut Vec<Change>) {
    if old.kind != new.kind {
        changes.push(breaks(path, old, format_args!("became a {}", new.kind)));
        return;
    }
    match (&old.shape, &new.shape) {
        (old_shape, new_shape) if old_shape == new_shape => {}
        (Shape::Members { noun, members: old_members }, Shape::Members { members, .. }) => {
            changes.extend(
                differences(noun, old_members, members)
                    .into_iter()
                    .map(|what| breaks(&format!("{path}:"), old, what)),
            );
        }
        (Shape::Text(was), Shape::Text(is)) => {
            changes.push(breaks(path, old, format_args!("was `{was}` and is now `{is}`")));
        }
        _ => changes.push(breaks(path, old, "changed its shape")),
    }
}

fn differences(noun: &str, old: &[(String, String)], new: &[(String, String)]) -> Vec<String> {
    let find = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, ty)| ty.clone())
    };
    let show = |ty: &str| if ty.is_empty() { "nothing".to_owned() } else { format!("`{ty}`") };
    let mut found = Vec::new();
    for (name, was) in old {
        match find(new, name) {
            None => found.push(format!("{noun} `{name}` was removed")),
            Some(is) if is != *was => {
                found.push(format!(
                    "{noun} `{name}` held {} and now holds {}",
                    show(was),
                    show(&is)
                ));
            }
            Some(_) => {}
        }
    }
    for (name, _) in new.iter().filter(|(name, _)| find(old, name).is_none()) {
        found.push(format!("{noun} `{name}` was added, and such types are compared exactly"));
    }
    if found.is_empty() {
        found.push(format!("its {noun}s stand in another order"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wit::Contract;

    fn surface(source: &str) -> Surface {
        let text = format!("package xpressclaw:a@0.1.0;\n{source}");
        Surface::of(&Contract::parse("test", &text).unwrap())
    }

    /// `expected`: one change a line, `+` before one that adds and `!` before one that breaks.
    fn check(old: &str, new: &str, expected: &[&str]) {
        let changes: Vec<_> = compare(&surface(old), &surface(new))
            .iter()
            .map(|change| match change.effect {
                Effect::Adds => format!("+ {change}"),
                Effect::Breaks => format!("! {change}"),
            })
            .collect();
        assert_eq!(changes, expected, "{old} → {new}");
    }

    #[test]
    fn docs_and_order_of_declarations_are_no_change() {
        check(
            "interface i { f: func(); g: func(); }",
            "/// Docs\ninterface i { /// More\n g: func(); f: func(); }",
            &[],
        );
    }

    #[test]
    fn functions() {
        check(
            "interface i { f: func(); }",
            "interface i { f: func(); g: func(); }",
            &["+ function xpressclaw:a/i.g was added"],
        );
        check(
            "interface i { f: func(); }",
            "interface i {}",
            &["! function xpressclaw:a/i.f was removed"],
        );
        for (new, shown) in [
            ("f: func(a: u8);", "func(a: u8)"),
            ("f: async func();", "async func()"),
            ("f: func() -> u8;", "func() -> u8"),
        ] {
            check(
                "interface i { f: func(); }",
                &format!("interface i {{ {new} }}"),
                &[&format!("! function xpressclaw:a/i.f was `func()` and is now `{shown}`")],
            );
        }
        check(
            "interface i { f: func(a: u8); }",
            "interface i { f: func(b: u8); }",
            &["! function xpressclaw:a/i.f was `func(a: u8)` and is now `func(b: u8)`"],
        );
    }

    #[test]
    fn members_are_compared_exactly() {
        let record = |fields: &str| format!("interface i {{ record r {{ {fields} }} }}");
        let at = "! record xpressclaw:a/i.r: ";
        for (new, what) in [
            ("a: u8", "field `b` was removed"),
            ("a: u8, b: u16, c: u8", "field `c` was added, and such types are compared exactly"),
            ("a: u8, b: string", "field `b` held `u16` and now holds `string`"),
            ("b: u16, a: u8", "its fields stand in another order"),
        ] {
            check(&record("a: u8, b: u16"), &record(new), &[&format!("{at}{what}")]);
        }
        check(
            "interface i { variant v { a } }",
            "interface i { variant v { a(u8) } }",
            &["! variant xpressclaw:a/i.v: case `a` held nothing and now holds `u8`"],
        );
        check(
            "interface i { enum e { a } }",
            "interface i { enum e { a, b } }",
            &["! enum xpressclaw:a/i.e: case `b` was added, and such types are compared exactly"],
        );
        check(
            "interface i { flags f { a, b } }",
            "interface i { flags f { b } }",
            &["! flags xpressclaw:a/i.f: flag `a` was removed"],
        );
        check(
            "interface i { enum t { a } }",
            "interface i { flags t { a } }",
            &["! enum xpressclaw:a/i.t became a flags"],
        );
    }

    #[test]
    fn types_by_name_and_by_use() {
        check(
            "interface i { type t = list<u8>; }",
            "interface i { type t = list<u16>; }",
            &["! type xpressclaw:a/i.t was `list<u8>` and is now `list<u16>`"],
        );
        let used = |from: &str| {
            format!(
                "interface x {{ enum e {{ a }} }} interface y {{ enum e {{ a }} }} \
                 interface i {{ use {from}.{{e}}; f: func() -> e; }}"
            )
        };
        check(
            &used("x"),
            &used("y"),
            &[
                "! type xpressclaw:a/i.e was `xpressclaw:a/x.e` and is now `xpressclaw:a/y.e`",
                "! function xpressclaw:a/i.f was `func() -> xpressclaw:a/x.e` and is now `func() -> xpressclaw:a/y.e`",
            ],
        );
    }

    #[test]
    fn resources() {
        check(
            "interface i { resource r { m: func(); } }",
            "interface i { resource r { constructor(); m: func(); } }",
            &["+ function xpressclaw:a/i.r.constructor was added"],
        );
        check(
            "interface i { resource r { m: func(); } }",
            "interface i {}",
            &["! resource xpressclaw:a/i.r was removed"],
        );
    }

    #[test]
    fn interfaces_count_as_one() {
        check(
            "interface i { f: func(); } interface i-j {}",
            "interface i-j {}",
            &["! interface xpressclaw:a/i was removed"],
        );
        check("", "interface i { f: func(); }", &["+ interface xpressclaw:a/i was added"]);
    }

    #[test]
    fn worlds_offer_imports_and_demand_exports() {
        let world = |items: &str| {
            format!("interface i {{ f: func(); }} interface j {{}} world w {{ {items} }}")
        };
        check(
            &world("import i;"),
            &world("import i; import j;"),
            &["+ interface xpressclaw:a/w import xpressclaw:a/j was added"],
        );
        check(
            &world("import i; import j;"),
            &world("import j;"),
            &["! interface xpressclaw:a/w import xpressclaw:a/i was removed"],
        );
        check(
            &world("export i;"),
            &world("export i; export j;"),
            &[
                "! interface xpressclaw:a/w export xpressclaw:a/j was added, and components already built lack it",
            ],
        );
        check(
            &world("export f: func();"),
            &world("export f: func() -> u8;"),
            &["! function xpressclaw:a/w export f was `func()` and is now `func() -> u8`"],
        );
        check(
            &world(""),
            "interface i { f: func(); } interface j {}",
            &["! world xpressclaw:a/w was removed"],
        );
    }

    #[test]
    fn a_function_that_components_must_export_breaks_them() {
        let exported = |functions: &str| {
            format!("interface i {{ f: func(); {functions} }} world w {{ export i; }}")
        };
        check(
            &exported(""),
            &exported("g: func();"),
            &["! function xpressclaw:a/i.g was added, and components already built lack it"],
        );
    }

    #[test]
    fn patch_versions_of_foreign_packages_are_the_same() {
        let text = |version: &str| {
            let source = format!(
                "package xpressclaw:a@0.1.0;\n\
                 package wasi:x@{version} {{ interface i {{}} }}\n\
                 world w {{ export wasi:x/i@{version}; }}"
            );
            Surface::of(&Contract::parse("test", &source).unwrap())
        };
        assert_eq!(compare(&text("0.2.1"), &text("0.2.9")), []);
        assert_eq!(compare(&text("0.2.1"), &text("0.3.0")).len(), 2);
    }
}
