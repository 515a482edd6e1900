//! What an author must be told: every interface, world, resource and function is documented. Called
//! by the repository's tests.
//!
//! Records, variants, enums and flags may speak for themselves, and so may their fields and cases
//! (`timed-out`, `name: string`), except that a number always has its unit or range: in the docs of
//! the field or case, or of the type that holds it.

use wit_parser::{Function, Type, TypeDefKind, WorldId};

use crate::text::{function_name, members};
use crate::wit::Contract;

/// Everything in our packages that breaks a rule, each with its fix.
pub fn violations(contract: &Contract) -> Vec<String> {
    let resolve = &contract.resolve;
    let mut found = Vec::new();
    for package in &contract.packages {
        let name = contract.name(*package);
        for (interface_name, id) in &resolve.packages[*package].interfaces {
            let interface = &resolve.interfaces[*id];
            let path = format!("{}:{}/{interface_name}", name.namespace, name.name);
            if interface.docs.is_empty() {
                found.push(format!(
                    "interface {path} is not documented: say in `///` above it what it is for"
                ));
            }
            for function in interface.functions.values() {
                let path = format!("{path}.{}", function_name(resolve, function));
                check_function(&path, function, &mut found);
            }
            for (type_name, id) in &interface.types {
                check_type(&format!("{path}.{type_name}"), contract, *id, &mut found);
            }
        }
        for (world_name, id) in &resolve.packages[*package].worlds {
            check_world(&format!("{}:{}/{world_name}", name.namespace, name.name), contract, *id)
                .into_iter()
                .for_each(|violation| found.push(violation));
        }
    }
    found
}

fn check_world(path: &str, contract: &Contract, id: WorldId) -> Option<String> {
    contract.resolve.worlds[id].docs.is_empty().then(|| {
        format!("world {path} is not documented: say in `///` above it who is built for it")
    })
}

fn check_function(path: &str, function: &Function, found: &mut Vec<String>) {
    if function.docs.is_empty() {
        found.push(format!(
            "function {path} is not documented: say whether it blocks, what cancels it, whether it is idempotent, and its limits"
        ));
    }
}

fn check_type(path: &str, contract: &Contract, id: wit_parser::TypeId, found: &mut Vec<String>) {
    let ty = &contract.resolve.types[id];
    if matches!(ty.kind, TypeDefKind::Resource) && ty.docs.is_empty() {
        found.push(format!(
            "resource {path} is not documented: say what it is and what dropping it does"
        ));
    }
    for member in members(&ty.kind).into_iter().flatten() {
        let number = member.ty.is_some_and(|ty| is_number(contract, ty));
        if number && member.docs.is_none() && ty.docs.is_empty() {
            found.push(format!(
                "{path}.{} is a number without a unit: say in `///` above it what it counts",
                member.name
            ));
        }
    }
}

fn is_number(contract: &Contract, ty: &Type) -> bool {
    match ty {
        Type::Id(id) => match &contract.resolve.types[*id].kind {
            TypeDefKind::Option(ty) | TypeDefKind::Type(ty) => is_number(contract, ty),
            _ => false,
        },
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::S8
        | Type::S16
        | Type::S32
        | Type::S64
        | Type::F32
        | Type::F64 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `body` is an interface's; `expected` are the beginnings of the violations.
    fn check(source: &str, expected: &[&str]) {
        let contract =
            Contract::parse("test", &format!("package xpressclaw:a@0.1.0;\n{source}")).unwrap();
        let found = violations(&contract);
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, start)| found.starts_with(start));
        assert!(same, "{source}\nexpected {expected:#?}\nfound {found:#?}");
    }

    #[test]
    fn what_carries_meaning_is_documented() {
        check("/// D\ninterface i { /// D\n f: func(); }", &[]);
        check("interface i {}", &["interface xpressclaw:a/i is not documented"]);
        check("world w {}", &["world xpressclaw:a/w is not documented"]);
        check("/// D\nworld w {}", &[]);
        check(
            "/// D\ninterface i { f: func(); }",
            &["function xpressclaw:a/i.f is not documented"],
        );
        check(
            "/// D\ninterface i { resource r { m: func(); } }",
            &["function xpressclaw:a/i.r.m is not", "resource xpressclaw:a/i.r is not"],
        );
        check("/// D\ninterface i { record r { a: string } enum e { a } flags f { a } }", &[]);
    }

    #[test]
    fn a_number_has_its_unit() {
        check(
            "/// D\ninterface i { record r { a: u32, b: option<f64>, /// ms\n c: u8 } }",
            &["xpressclaw:a/i.r.a is a number", "xpressclaw:a/i.r.b is a number"],
        );
        check("/// D\ninterface i { /// Tokens.\n record r { a: u32 } }", &[]);
        check("/// D\ninterface i { variant v { a(s32) } }", &["xpressclaw:a/i.v.a is a number"]);
    }
}
