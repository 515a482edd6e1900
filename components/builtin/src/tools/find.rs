//! `find`: files and directories by name.

use std::ops::ControlFlow;

use fast_glob::glob_match;

use super::walk::{End, Found, walk};
use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;

pub static TOOL: Tool = Tool {
    name: "find",
    description: "Find files and directories by a glob, e.g. **/*.rs. Without a slash it is \
                  matched against names at any depth. Files that git ignores are left out.",
    parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string","description":"The directory to search; default: the workspace"}},"required":["pattern"],"additionalProperties":false}"#,
    kind: Kind::Search,
    shows: "pattern",
    way: Way::Here(find),
};

/// Names in one result.
const HITS: usize = 500;

fn find(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let pattern = anywhere(args.text("pattern")?);
    let root = here.place.readable(args.maybe_text("path")?.unwrap_or("."))?;
    let mut text = String::new();
    let mut hits = 0;
    let place = here.place;
    let mut visit = |found: Found| {
        if glob_match(&pattern, found.name) {
            if hits == HITS {
                return ControlFlow::Break(());
            }
            hits += 1;
            text.push_str(&place.shown(found.path));
            text.push_str(if found.directory { "/\n" } else { "\n" });
        }
        ControlFlow::Continue(())
    };
    let end = walk(&root, here.interrupted, &mut visit)?;
    note(&mut text, &end, HITS)?;
    Ok(Outcome::text(text))
}

/// A pattern without a slash is of names, wherever they are.
pub fn anywhere(pattern: &str) -> String {
    let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
    if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") }
}

/// Says at the end of a result what is missing from it.
pub fn note(text: &mut String, end: &End, hits: usize) -> Result<(), Failure> {
    match end {
        End::Cancelled => return Err(Failure::cancelled()),
        End::Whole if text.is_empty() => text.push_str("(nothing found)"),
        End::Whole => {}
        End::Enough => text.push_str(&format!("[the first {hits}; narrow the search for others]")),
        End::TooLarge => {
            text.push_str("[the tree is too large for one search; give a path inside it]");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_at_any_depth_and_a_path_where_it_is() {
        for (pattern, path, expected) in [
            ("*.rs", "a/b/c.rs", true),
            ("*.rs", "c.rs", true),
            ("a/*.rs", "a/c.rs", true),
            ("a/*.rs", "b/a/c.rs", false),
            ("./a/**/c.rs", "a/b/b/c.rs", true),
            ("*.{rs,md}", "x/y.md", true),
            ("*.rs", "c.rs.bak", false),
        ] {
            assert_eq!(glob_match(anywhere(pattern), path), expected, "{pattern} {path}");
        }
    }
}
