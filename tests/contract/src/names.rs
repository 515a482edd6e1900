//! Names in the contract: lower case, and none that says who calls. Called by the repository's
//! tests. The grammar of WIT itself sees to words joined by hyphens.

use wit_parser::{Function, TypeDefKind, TypeId};

use crate::text::{function_name, member_noun, members};
use crate::wit::Contract;

/// Names that would let a guest say who it is. The host knows who calls.
const IDENTITIES: [&str; 6] =
    ["agent", "agent-id", "agent-name", "caller", "caller-id", "as-agent"];

/// Every name in our packages that breaks a rule, each with its fix.
pub fn violations(contract: &Contract) -> Vec<String> {
    let resolve = &contract.resolve;
    let mut found = Vec::new();
    for package in &contract.packages {
        let name = contract.name(*package);
        let package = &resolve.packages[*package];
        let start = format!("{}:{}", name.namespace, name.name);
        for world in package.worlds.keys() {
            case("world", &format!("{start}/{world}"), world, &mut found);
        }
        for (interface, id) in &package.interfaces {
            let path = format!("{start}/{interface}");
            case("interface", &path, interface, &mut found);
            for function in resolve.interfaces[*id].functions.values() {
                let path = format!("{path}.{}", function_name(resolve, function));
                check_function(&path, function, &mut found);
            }
            for (name, id) in &resolve.interfaces[*id].types {
                check_type(&format!("{path}.{name}"), name, contract, *id, &mut found);
            }
        }
    }
    found
}

fn check_function(path: &str, function: &Function, found: &mut Vec<String>) {
    case("function", path, function.item_name(), found);
    for param in &function.params {
        case("parameter", &format!("{path}.{}", param.name), &param.name, found);
        if IDENTITIES.contains(&param.name.as_str()) {
            found.push(format!(
                "function {path} takes `{}`: remove it, the caller's identity comes from the host",
                param.name
            ));
        }
    }
}

fn check_type(path: &str, name: &str, contract: &Contract, id: TypeId, found: &mut Vec<String>) {
    let kind = &contract.resolve.types[id].kind;
    case("type", path, name, found);
    for member in members(kind).into_iter().flatten() {
        let path = format!("{path}.{}", member.name);
        case(member_noun(kind), &path, member.name, found);
        if matches!(kind, TypeDefKind::Record(_)) && IDENTITIES.contains(&member.name) {
            found.push(format!(
                "field {path} names an agent: remove it, the caller's identity comes from the host"
            ));
        }
    }
}

fn case(what: &str, path: &str, name: &str, found: &mut Vec<String>) {
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        found.push(format!("{what} {path} is not in lower case: write `{}`", name.to_lowercase()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected` are the beginnings of the violations.
    fn check(source: &str, expected: &[&str]) {
        let contract =
            Contract::parse("test", &format!("package xpressclaw:a@0.1.0;\n{source}")).unwrap();
        let found = violations(&contract);
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, start)| found.starts_with(start));
        assert!(same, "{source}\nexpected {expected:#?}\nfound {found:#?}");
    }

    #[test]
    fn nobody_says_who_calls() {
        check(
            "interface i { f: func(agent-id: string); }",
            &["function xpressclaw:a/i.f takes `agent-id`"],
        );
        check(
            "interface i { record r { caller: string } }",
            &["field xpressclaw:a/i.r.caller names an agent"],
        );
        check(
            "interface i { resource r { m: func(as-agent: string); } }",
            &["function xpressclaw:a/i.r.m takes `as-agent`"],
        );
        check("interface agent { f: func(id: string); enum e { agent } }", &[]);
    }

    #[test]
    fn names_are_in_lower_case() {
        check(
            "interface IO { READ-all: func(A: u8); enum E { OLD } } world W {}",
            &[
                "world xpressclaw:a/W is not",
                "interface xpressclaw:a/IO is not in lower case: write `io`",
                "function xpressclaw:a/IO.READ-all is not in lower case: write `read-all`",
                "parameter xpressclaw:a/IO.READ-all.A is not",
                "type xpressclaw:a/IO.E is not",
                "case xpressclaw:a/IO.E.OLD is not",
            ],
        );
    }
}
