//! Who may name what in `host/`. Called by the repository's tests.

use std::path::Path;

use anyhow::Result;

use super::files;
use super::tokens::Name;

/// Names for few.
struct Rule {
    /// Paths: each stands for itself and everything below it. A macro ends with `!` and stands for
    /// that macro by whatever path.
    names: &'static [&'static str],
    crates: &'static [&'static str],
    fix: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        names: &["wasmtime::Config"],
        crates: &["engine"],
        fix: "only `engine` configures wasmtime: add an option there",
    },
    Rule {
        names: &["bindgen!"],
        crates: &["bindings"],
        fix: "the contract becomes Rust once, in `bindings`: use its types",
    },
    Rule {
        names: &[
            "std::env::*",
            "std::env::args",
            "std::env::args_os",
            "std::env::current_dir",
            "std::env::home_dir",
            "std::env::remove_var",
            "std::env::set_current_dir",
            "std::env::set_var",
            "std::env::temp_dir",
            "std::env::var",
            "std::env::var_os",
            "std::env::vars",
            "std::env::vars_os",
        ],
        crates: &["xpressclaw", "xtask", "bench"],
        fix: "only the binary reads the environment: take the value as an argument",
    },
    Rule {
        names: &[
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "dbg!",
            "std::io::stdout",
            "std::io::stderr",
        ],
        crates: &["xpressclaw", "xtask", "bench"],
        fix: "only the binary prints: return the text, or log with `tracing`",
    },
];

/// Every name in the code of crate `name` at `folder` that it may not use, with its place and the
/// fix. Paths are shown from `root`.
pub fn violations(root: &Path, folder: &Path, name: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for source in files::read(folder)? {
        let path = source.path.strip_prefix(root).unwrap_or(&source.path);
        found.extend(judge(name, &path.display().to_string(), &source.names));
    }
    Ok(found)
}

fn judge(name: &str, file: &str, names: &[Name]) -> Vec<String> {
    let mut found = Vec::new();
    for rule in RULES.iter().filter(|rule| !rule.crates.contains(&name)) {
        for Name { path, line } in names {
            if rule.names.iter().any(|ruled| is_under(path, ruled)) {
                found.push(format!("{file}:{line}: `{path}`: {}", rule.fix));
            }
        }
    }
    found.dedup();
    found
}

fn is_under(path: &str, ruled: &str) -> bool {
    if ruled.ends_with('!') {
        return path
            .strip_suffix(ruled)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with("::"));
    }
    path.strip_prefix(ruled).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A crate `name` with this code in `src/part/inner.rs`; `expected` is part of the violation.
    fn check(name: &str, code: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        fs::create_dir_all(source.join("part")).unwrap();
        fs::write(source.join("lib.rs"), "mod part;\n#[cfg(test)] mod missing;").unwrap();
        fs::write(source.join("part.rs"), "mod inner;").unwrap();
        fs::write(source.join("part/inner.rs"), code).unwrap();
        let found = violations(folder.path(), folder.path(), name).unwrap();
        match expected {
            None => assert_eq!(found, [""; 0], "{name}: {code}"),
            Some(part) => {
                assert!(!found.is_empty(), "{name}: {code}");
                let place = Path::new("src/part/inner.rs").display().to_string();
                for violation in &found {
                    assert!(violation.starts_with(&format!("{place}:1: ")), "{violation}");
                    assert!(violation.contains(part), "{violation}");
                }
            }
        }
    }

    #[test]
    fn each_rule_binds_all_but_its_crates() {
        for (code, exempt, part) in [
            ("fn f() { wasmtime::Config::new(); }", "engine", "only `engine`"),
            ("use wasmtime::Config;", "engine", "only `engine`"),
            ("wasmtime::component::bindgen!({});", "bindings", "in `bindings`"),
            ("fn f() { std::env::var(\"A\"); }", "xpressclaw", "reads the environment"),
            ("use std::env; fn f() { env::args_os(); }", "xtask", "reads the environment"),
            ("fn f() { std::env::home_dir(); }", "bench", "reads the environment"),
            ("use std::env::*;", "xpressclaw", "reads the environment"),
            ("fn f() { println!(\"x\"); }", "xpressclaw", "only the binary prints"),
            ("fn f() { std::eprint!(\"x\"); }", "xtask", "only the binary prints"),
            ("use std::io; fn f() { io::stdout().lock(); }", "bench", "only the binary prints"),
        ] {
            check("llm", code, Some(part));
            check(exempt, code, None);
        }
    }

    #[test]
    fn what_only_looks_alike_is_free() {
        for code in [
            "fn f() { env!(\"CARGO_PKG_VERSION\"); std::env::consts::OS; }",
            "struct Config; fn f() { Config::new(); }",
            "use wasmtime::PoolingAllocationConfig;",
            "#[cfg(test)] mod tests { fn f() { println!(\"x\") } }",
            "fn f() { writeln!(out, \"println!\"); } // println!()",
        ] {
            check("llm", code, None);
        }
    }
}
