//! The layers of `host/` and `registry-tools/`, and what only some crates may depend on. Called by the
//! tests of the repository.
//!
//! A new crate is added to `LAYERS` here: its place is a decision.

use super::crates::{Crate, Dependency, Kind};

/// One layer. A crate may use crates of the layers below its own.
struct Layer {
    crates: &'static [&'static str],
    siblings: Siblings,
}

/// Whether crates of one layer may use each other. Cargo sees to it that they form no circle.
#[derive(PartialEq, Eq)]
enum Siblings {
    Strangers,
    Neighbours,
}

/// From the lowest to the highest.
const LAYERS: &[Layer] = &[
    // Types of the host; the computer inside the machine, the folder that it mounts and what is said to
    // the agent in there, which know nothing of the rest.
    Layer {
        crates: &["domain", "machine-protocol", "ninep", "riscv"],
        siblings: Siblings::Strangers,
    },
    Layer { crates: &["bindings"], siblings: Siblings::Strangers },
    Layer { crates: &["compose", "engine", "store"], siblings: Siblings::Strangers },
    // Runs the machine's computers; speaks with the agents in them.
    Layer { crates: &["computer", "machine-client"], siblings: Siblings::Strangers },
    // What providers cost; `budget prices` shows it.
    Layer { crates: &["prices"], siblings: Siblings::Strangers },
    // Every crate that lets a call through asks it, and the configuration reads its rules.
    Layer { crates: &["approvals"], siblings: Siblings::Strangers },
    Layer {
        crates: &[
            "config",
            "control",
            "endpoint",
            "files",
            "harness",
            "llm",
            "local-model",
            "machine",
            "models",
            "mcp",
            "network",
            "providers",
            "telemetry",
            "tools",
            "verbs",
        ],
        siblings: Siblings::Neighbours,
    },
    // What an artifact looks like, where it is kept, where it comes from, who vouches for it.
    Layer { crates: &["artifact"], siblings: Siblings::Strangers },
    Layer { crates: &["cache"], siblings: Siblings::Strangers },
    Layer { crates: &["registry"], siblings: Siblings::Strangers },
    Layer { crates: &["trust"], siblings: Siblings::Strangers },
    Layer { crates: &["session"], siblings: Siblings::Strangers },
    // Authoring.
    Layer { crates: &["kit"], siblings: Siblings::Strangers },
    Layer { crates: &["xpressclaw"], siblings: Siblings::Strangers },
];

/// Crates of `host/` that are no part of the product and stand above all layers.
const TOOLS: &[&str] = &["bench", "xtask"];

/// Dependencies for few.
struct Only {
    /// Names, and beginnings of names.
    dependencies: &'static [&'static str],
    crates: &'static [&'static str],
    fix: &'static str,
}

const ONLY: &[Only] = &[
    Only {
        dependencies: &["rusqlite", "libsqlite3-sys", "sqlx", "diesel"],
        crates: &["store"],
        fix: "only `store` sees SQL: ask it for what you need",
    },
    Only {
        dependencies: &["wasmtime"],
        crates: &[
            "bindings", "computer", "engine", "files", "harness", "llm", "machine", "network",
            "session", "tools", "verbs",
        ],
        fix: "wasmtime ends at the crates that implement WIT interfaces: use types of `domain`",
    },
    Only {
        dependencies: &["dirs", "directories", "home", "etcetera", "dotenvy"],
        crates: &["xpressclaw"],
        fix: "only the binary reads the environment: take the path as an argument",
    },
    Only {
        dependencies: &["tracing-subscriber", "anstream", "rustyline", "clap"],
        crates: &["xpressclaw"],
        fix: "only the binary talks to the terminal: return the text, or an event",
    },
];

/// Every breach of the layers among `crates`, each with its fix.
pub fn violations(crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    for krate in crates {
        folder(krate, &mut found);
        if in_layers(krate) && !TOOLS.contains(&krate.name.as_str()) {
            order(krate, &mut found);
            only(krate, &mut found);
        }
    }
    found
}

fn in_layers(krate: &Crate) -> bool {
    ["host/", "registry-tools/"].iter().any(|folder| krate.folder.starts_with(folder))
}

fn folder(krate: &Crate, found: &mut Vec<String>) {
    let last = krate.folder.rsplit('/').next().unwrap_or_default();
    if last != krate.name {
        found.push(format!(
            "crate `{}` stands in {}: folder and crate have one name, rename either",
            krate.name, krate.folder
        ));
    }
}

fn level(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.crates.contains(&name))
}

fn order(krate: &Crate, found: &mut Vec<String>) {
    let Some(own) = level(&krate.name) else {
        found.push(format!(
            "crate `{}` is in no layer: add it to LAYERS in tests/contract/src/layers/rules.rs",
            krate.name
        ));
        return;
    };
    for Dependency { name, kind } in &krate.dependencies {
        let Some(other) = level(name).filter(|_| *kind != Kind::Development) else { continue };
        if other > own {
            found.push(format!(
                "{}/Cargo.toml: `{}` depends on `{name}`, a layer above: move what both need down, or turn the call around",
                krate.folder, krate.name
            ));
        } else if other == own && LAYERS[own].siblings == Siblings::Strangers {
            found.push(format!(
                "{}/Cargo.toml: `{}` depends on `{name}` of its own layer: join them a layer above",
                krate.folder, krate.name
            ));
        }
    }
}

fn only(krate: &Crate, found: &mut Vec<String>) {
    for rule in ONLY.iter().filter(|rule| !rule.crates.contains(&krate.name.as_str())) {
        for Dependency { name, .. } in &krate.dependencies {
            if rule.dependencies.iter().any(|start| is_of(name, start)) {
                found.push(format!(
                    "{}/Cargo.toml: `{}` depends on `{name}`: {}",
                    krate.folder, krate.name, rule.fix
                ));
            }
        }
    }
}

/// `rusqlite_migration` and `wasmtime-wasi` are of the family of the name before the separator.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(folder: &str, name: &str, dependencies: &[(&str, Kind)]) -> Crate {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency { name: (*name).into(), kind: *kind })
            .collect();
        Crate { name: name.into(), folder: folder.into(), dependencies }
    }

    /// A crate of `host/` with one dependency; `expected` is part of the violation, if there is one.
    fn check(name: &str, dependency: &str, kind: Kind, expected: Option<&str>) {
        let found = violations(&[krate(&format!("host/{name}"), name, &[(dependency, kind)])]);
        match expected {
            None => assert_eq!(found, [""; 0], "{name} → {dependency}"),
            Some(part) => {
                assert_eq!(found.len(), 1, "{name} → {dependency}: {found:?}");
                assert!(found[0].contains(part), "{found:?}");
            }
        }
    }

    #[test]
    fn layers_depend_downwards() {
        for (name, dependency) in [
            ("bindings", "domain"),
            ("store", "domain"),
            ("llm", "store"),
            ("llm", "harness"),
            ("session", "llm"),
            ("xpressclaw", "session"),
            ("domain", "serde"),
        ] {
            check(name, dependency, Kind::Normal, None);
        }
        for (name, dependency) in [
            ("domain", "bindings"),
            ("bindings", "engine"),
            ("engine", "llm"),
            ("llm", "session"),
            ("session", "xpressclaw"),
        ] {
            check(name, dependency, Kind::Normal, Some("a layer above"));
            check(name, dependency, Kind::Build, Some("a layer above"));
            check(name, dependency, Kind::Development, None);
        }
        check("engine", "store", Kind::Normal, Some("of its own layer"));
        check("newcomer", "domain", Kind::Normal, Some("`newcomer` is in no layer"));
    }

    #[test]
    fn some_dependencies_are_for_few() {
        for kind in [Kind::Normal, Kind::Build, Kind::Development] {
            check("llm", "rusqlite", kind, Some("only `store` sees SQL"));
            check("verbs", "rusqlite_migration", kind, Some("only `store` sees SQL"));
            check("providers", "wasmtime", kind, Some("wasmtime ends"));
            check("xpressclaw", "wasmtime-wasi", kind, Some("wasmtime ends"));
            check("config", "dirs", kind, Some("reads the environment"));
            check("llm", "tracing-subscriber", kind, Some("talks to the terminal"));
        }
        check("store", "rusqlite", Kind::Normal, None);
        check("session", "wasmtime-wasi-http", Kind::Normal, None);
        check("xpressclaw", "clap", Kind::Normal, None);
        check("llm", "homemade", Kind::Normal, None);
    }

    #[test]
    fn tools_and_tests_stand_above() {
        for krate in [
            krate("host/bench", "bench", &[("session", Kind::Normal), ("wasmtime", Kind::Normal)]),
            krate("tests/contract", "contract", &[("session", Kind::Normal)]),
        ] {
            assert_eq!(violations(&[krate]), [""; 0]);
        }
    }

    #[test]
    fn folder_and_crate_have_one_name() {
        let found = violations(&[krate("components/echo", "echo-harness", &[])]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crate `echo-harness` stands in components/echo"),
            "{found:?}"
        );
    }
}
