//! The names in one file: paths and macros, with the line they stand in. Called by `files`.
//!
//! Works on tokens, so that calls inside of macros count too. Names are resolved by the file's own
//! `use` lines; two of one name both count, because it is better to ask once too often.

use std::collections::HashMap;
use std::iter::Peekable;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What one file names.
#[derive(Debug, Default)]
pub struct Scan {
    pub names: Vec<Name>,
    /// `mod x;` and where it stands: the inline modules around it, then its own name.
    pub modules: Vec<Vec<String>>,
}

/// A path with a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// E.g. `std::env::var`; a macro ends with `!`.
    pub path: String,
    /// From 1.
    pub line: usize,
}

/// Reads a file's code, without what is only compiled for tests.
pub fn scan(code: &str) -> Result<Scan> {
    let stream: TokenStream =
        code.parse().map_err(|error| anyhow!("it is no Rust code: {error}"))?;
    let mut scanner = Scanner::default();
    scanner.level(stream, &mut Vec::new());
    let Scanner { mut scan, aliases } = scanner;
    let own = std::mem::take(&mut scan.names);
    for Name { path, line } in own {
        for path in resolved(&path, &aliases) {
            scan.names.push(Name { path, line });
        }
    }
    Ok(scan)
}

#[derive(Default)]
struct Scanner {
    scan: Scan,
    /// By short name: the paths that a `use` gave it.
    aliases: HashMap<String, Vec<String>>,
}

impl Scanner {
    /// One list of tokens; `inside` are the inline modules around it.
    fn level(&mut self, stream: TokenStream, inside: &mut Vec<String>) {
        let mut tokens = stream.into_iter().peekable();
        let mut after_dot = false;
        while let Some(token) = tokens.next() {
            let was_after_dot = std::mem::take(&mut after_dot);
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let inner = tokens.next_if(|token| is_punct(token, '!')).is_some();
                    let Some(attribute) = next_group(&mut tokens, Delimiter::Bracket) else {
                        continue;
                    };
                    if is_test_only(&attribute) {
                        if inner {
                            return;
                        }
                        skip_item(&mut tokens);
                    }
                }
                TokenTree::Punct(punct) => after_dot = punct.as_char() == '.',
                TokenTree::Ident(_) if was_after_dot => {}
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    match ident.to_string().as_str() {
                        "use" if !tokens.peek().is_some_and(|token| is_punct(token, '<')) => {
                            self.use_tree(&mut tokens, "", line);
                        }
                        "mod" => self.module(&mut tokens, inside),
                        first => self.path(first, &mut tokens, line),
                    }
                }
                TokenTree::Group(group) => self.level(group.stream(), inside),
                TokenTree::Literal(_) => {}
            }
        }
    }

    fn module(&mut self, tokens: &mut Tokens, inside: &mut Vec<String>) {
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        inside.push(name.to_string());
        match next_group(tokens, Delimiter::Brace) {
            Some(body) => self.level(body.stream(), inside),
            None => self.scan.modules.push(inside.clone()),
        }
        inside.pop();
    }

    fn path(&mut self, first: &str, tokens: &mut Tokens, line: usize) {
        let mut path = first.to_owned();
        while next_separator(tokens) {
            match tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) {
                Some(ident) => path = format!("{path}::{ident}"),
                None => break,
            }
        }
        if tokens.peek().is_some_and(|token| is_punct(token, '!')) {
            let bang = tokens.next();
            // `a != b` is no macro.
            match tokens.peek() {
                Some(TokenTree::Group(_) | TokenTree::Ident(_)) if bang.is_some() => path.push('!'),
                _ => {}
            }
        }
        self.scan.names.push(Name { path, line });
    }

    /// One tree of a `use`, up to its end or the comma behind it.
    fn use_tree(&mut self, tokens: &mut Tokens, before: &str, line: usize) {
        let mut path = before.to_owned();
        let join = |path: &str, next: &str| match path.is_empty() {
            true => next.to_owned(),
            false => format!("{path}::{next}"),
        };
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) if ident == "as" => {
                    if let Some(TokenTree::Ident(name)) = tokens.next() {
                        self.alias(&name.to_string(), &path, line);
                    }
                    path.clear();
                }
                TokenTree::Ident(ident) if ident == "self" && !path.is_empty() => {}
                TokenTree::Ident(ident) => path = join(&path, &ident.to_string()),
                TokenTree::Punct(punct) => match punct.as_char() {
                    '*' => {
                        let path = join(&path, "*");
                        self.scan.names.push(Name { path, line });
                        return self.end_tree(tokens, before, line);
                    }
                    ';' => break,
                    ',' => {
                        self.alias_last(&path, line);
                        path = before.to_owned();
                    }
                    _ => {}
                },
                TokenTree::Group(group) => {
                    self.use_tree(&mut group.stream().into_iter().peekable(), &path, line);
                    return self.end_tree(tokens, before, line);
                }
                TokenTree::Literal(_) => {}
            }
        }
        self.alias_last(&path, line);
    }

    /// What follows a finished tree: the end, or a comma and the next one.
    fn end_tree(&mut self, tokens: &mut Tokens, before: &str, line: usize) {
        if tokens.next().is_some_and(|token| is_punct(&token, ',')) {
            self.use_tree(tokens, before, line);
        }
    }

    fn alias_last(&mut self, path: &str, line: usize) {
        if let Some(name) = path.rsplit("::").next().filter(|name| !name.is_empty()) {
            self.alias(name, path, line);
        }
    }

    fn alias(&mut self, name: &str, path: &str, line: usize) {
        self.scan.names.push(Name { path: path.into(), line });
        if name != path && name != "_" {
            self.aliases.entry(name.into()).or_default().push(path.into());
        }
    }
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Takes `::` when it stands next. A single colon is taken too: no path follows it.
fn next_separator(tokens: &mut Tokens) -> bool {
    tokens.next_if(|token| is_punct(token, ':')).is_some()
        && tokens.next_if(|token| is_punct(token, ':')).is_some()
}

fn next_group(tokens: &mut Tokens, delimiter: Delimiter) -> Option<Group> {
    let is_wanted = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter);
    match tokens.next_if(is_wanted) {
        Some(TokenTree::Group(group)) => Some(group),
        _ => None,
    }
}

/// `cfg(test)` and `cfg(all(test, …))`; not where the code is there without tests too.
fn is_test_only(attribute: &Group) -> bool {
    let text = attribute.stream().to_string();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
    let cfg = words.next() == Some("cfg");
    let words: Vec<_> = words.collect();
    cfg && words.contains(&"test") && !words.contains(&"not") && !words.contains(&"any")
}

/// Everything up to a semicolon or a body in braces.
fn skip_item(tokens: &mut Tokens) {
    for token in tokens.by_ref() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            _ => {}
        }
    }
}

/// How often a name may lead to a name of another `use` line: a file that needs more is a circle.
const ALIASES_MAX: usize = 4;

fn resolved(path: &str, aliases: &HashMap<String, Vec<String>>) -> Vec<String> {
    let mut known = vec![path.to_owned()];
    let mut open = known.clone();
    for _ in 0..ALIASES_MAX {
        let mut next = Vec::new();
        for path in &open {
            let (first, rest) = path.split_once("::").unwrap_or((path, ""));
            let (first, bang) = first.strip_suffix('!').map_or((first, ""), |name| (name, "!"));
            for target in aliases.get(first).into_iter().flatten() {
                let rest = if rest.is_empty() { String::new() } else { format!("::{rest}") };
                next.push(format!("{target}{rest}{bang}"));
            }
        }
        next.retain(|path| !known.contains(path));
        known.extend(next.iter().cloned());
        open = next;
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<String> {
        scan(code).unwrap().names.into_iter().map(|name| name.path).collect()
    }

    fn check(code: &str, present: &[&str], absent: &[&str]) {
        let found = names(code);
        for name in present {
            assert!(found.iter().any(|found| found == name), "no {name} in {found:?}: {code}");
        }
        for name in absent {
            assert!(!found.iter().any(|found| found == name), "{name} in {found:?}: {code}");
        }
    }

    #[test]
    fn paths_and_macros_are_found_wherever_they_stand() {
        check("fn f() { std::env::var(\"A\"); }", &["std::env::var"], &[]);
        check("fn f() { select! { a = b => println!(\"x\") } }", &["select!", "println!"], &[]);
        check("fn f() { if a != b {} }", &["a"], &["a!"]);
        check("const S: &str = \"std::env::var\"; // std::env::args", &["S"], &["std::env::var"]);
        check("/// std::env::var\nfn f() { x.std(); }", &["f"], &["std::env::var", "std"]);
        check("fn f() -> impl T + use<'_> { a::b() }", &["a::b"], &[]);
        check("struct S { env: a::B }", &["env", "a::B"], &["env::a"]);
    }

    #[test]
    fn names_are_resolved_by_use() {
        check("use std::env; fn f() { env::var(\"A\") }", &["std::env::var"], &[]);
        check("use std::{env, fs}; fn f() { env::args() }", &["std::env::args"], &[]);
        check("use std::env::{self as e}; fn f() { e::vars() }", &["std::env::vars"], &[]);
        check(
            "use std::{fs::{self, File}, env}; fn f() { env::args() }",
            &["std::env::args", "std::fs", "std::fs::File"],
            &[],
        );
        check(
            "use wasmtime::{Config, Engine}; fn f() { Config::new() }",
            &["wasmtime::Config::new", "wasmtime::Engine"],
            &[],
        );
        check(
            "use wasmtime as w; fn f() { <w::Config as Default>::default() }",
            &["wasmtime::Config"],
            &[],
        );
        check("use a::b; use b::c; fn f() { c::d() }", &["a::b::c::d"], &[]);
        check("use std::env::*; fn f() {}", &["std::env::*"], &[]);
        check(
            "use wasmtime::component::bindgen; bindgen!({});",
            &["wasmtime::component::bindgen!"],
            &[],
        );
    }

    #[test]
    fn code_for_tests_is_left_out() {
        for code in [
            "#[cfg(test)] mod tests { fn f() { a::b() } }",
            "#[cfg(test)] mod a;",
            "#[cfg(all(test, unix))] fn f() { a::b() }",
            "#[cfg(test)] use a::b;",
            "#![cfg(test)] fn f() { a::b() }",
        ] {
            assert_eq!(names(code), [""; 0], "{code}");
            assert!(scan(code).unwrap().modules.is_empty());
        }
        for code in [
            "#[cfg(not(test))] fn f() { a::b() }",
            "#[cfg(any(test, feature = \"x\"))] fn f() { a::b() }",
            "#[cfg(feature = \"test\")] fn f() { a::b() }",
            "#[cfg(test)] mod tests {} fn f() { a::b() }",
        ] {
            check(code, &["a::b"], &[]);
        }
    }

    #[test]
    fn modules_and_lines() {
        let found = scan("mod a;\nmod b { pub mod c;\n fn f() { x::y() } }").unwrap();
        assert_eq!(found.modules, [vec!["a".to_owned()], vec!["b".into(), "c".into()]]);
        assert!(found.names.contains(&Name { path: "x::y".into(), line: 3 }));
        assert!(scan("fn f( {").is_err());
    }
}
