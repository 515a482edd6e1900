//! `grep`: lines of files by a regular expression.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fast_glob::glob_match;
use regex_lite::{Regex, RegexBuilder};

use super::find::{anywhere, note};
use super::walk::{End, Found, walk};
use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;

pub static TOOL: Tool = Tool {
    name: "grep",
    description: "Search the lines of files by a regular expression (Rust's syntax, no look-around \
                  and no back-references). Files that git ignores and binary files are left out.",
    parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string","description":"A file or directory; default: the workspace"},"glob":{"type":"string","description":"Only files of this name, e.g. *.rs"},"ignore_case":{"type":"boolean"},"literal":{"type":"boolean","description":"The pattern is plain text"},"context":{"type":"integer","minimum":1,"maximum":10,"description":"Lines around each hit"}},"required":["pattern"],"additionalProperties":false}"#,
    kind: Kind::Search,
    shows: "pattern",
    way: Way::Here(grep),
};

/// Lines that match, in one result.
const HITS: usize = 200;
/// Of one line: enough to tell what it is, and a minified file cannot fill a result.
const LINE_CHARACTERS: usize = 300;
const CONTEXT_MAX: usize = 10;
/// Larger files are no sources.
const FILE_MAX_BYTES: u64 = 8 << 20;
/// Of all files of one search together: what is computed here is charged as the agent's CPU time.
const SEARCH_MAX_BYTES: u64 = 256 << 20;

fn grep(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let pattern = args.text("pattern")?;
    let literal = args.flag("literal")?;
    let pattern = if literal { regex_lite::escape(pattern) } else { pattern.to_owned() };
    let regex = RegexBuilder::new(&pattern).case_insensitive(args.flag("ignore_case")?).build();
    let regex = regex.map_err(|error| Failure::from(format!("the pattern is wrong: {error}")))?;
    let glob = args.maybe_text("glob")?.map(anywhere);
    let context = args.count("context", 0, CONTEXT_MAX)?;
    let root = here.place.readable(args.maybe_text("path")?.unwrap_or("."))?;
    let mut search =
        Search { regex, context, text: String::new(), hits: 0, bytes: 0, limit: here.place.limit };
    let place = here.place;
    let end = if root.is_dir() {
        let mut visit = |found: Found| {
            let wanted = glob.as_ref().is_none_or(|glob| glob_match(glob, found.name));
            if found.directory || !wanted {
                return ControlFlow::Continue(());
            }
            search.file(&place.shown(found.path), found.path)
        };
        walk(&root, here.interrupted, &mut visit)?
    } else {
        let shown = place.shown(&root);
        fs::metadata(&root).map_err(|error| Failure::io(format!("search {shown}"), &error))?;
        let flow = search.file(&shown, &root);
        if flow.is_break() { End::Enough } else { End::Whole }
    };
    let hits = search.hits;
    note(&mut search.text, &end, hits)?;
    Ok(Outcome::text(search.text))
}

struct Search {
    regex: Regex,
    context: usize,
    text: String,
    hits: usize,
    bytes: u64,
    limit: usize,
}

impl Search {
    /// A file that cannot be read, or is no text, has no lines.
    fn file(&mut self, name: &str, path: &Path) -> ControlFlow<()> {
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size > FILE_MAX_BYTES {
            return ControlFlow::Continue(());
        }
        self.bytes += size;
        if self.bytes > SEARCH_MAX_BYTES {
            return ControlFlow::Break(());
        }
        match fs::read(path) {
            Ok(bytes) if !bytes.contains(&0) => self.lines(name, &String::from_utf8_lossy(&bytes)),
            _ => ControlFlow::Continue(()),
        }
    }

    /// `name:line: text` for each hit, `name-line- text` for the lines around it.
    fn lines(&mut self, name: &str, text: &str) -> ControlFlow<()> {
        let lines: Vec<&str> = text.lines().collect();
        // The first line that was not shown yet.
        let mut next = 0;
        for (index, line) in lines.iter().enumerate() {
            if !self.regex.is_match(line) {
                continue;
            }
            if self.hits == HITS || self.text.len() > self.limit {
                return ControlFlow::Break(());
            }
            self.hits += 1;
            let first = index.saturating_sub(self.context).max(next);
            let last = (index + self.context).min(lines.len() - 1);
            if self.context > 0 && first > next && next > 0 {
                self.text.push_str("--\n");
            }
            for (at, line) in lines.iter().enumerate().take(last + 1).skip(first) {
                let mark = if self.regex.is_match(line) { ':' } else { '-' };
                self.text.push_str(&format!("{name}{mark}{}{mark} {}\n", at + 1, cut(line)));
            }
            next = next.max(last + 1);
        }
        ControlFlow::Continue(())
    }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(pattern: &str, context: usize) -> Search {
        let regex = Regex::new(pattern).unwrap();
        Search { regex, context, text: String::new(), hits: 0, bytes: 0, limit: 10_000 }
    }

    fn check(pattern: &str, context: usize, text: &str, expected: &str) {
        let mut search = search(pattern, context);
        assert!(search.lines("f", text).is_continue());
        assert_eq!(search.text, expected, "{pattern} with {context}");
    }

    #[test]
    fn hits_have_their_place_and_what_is_around_them_once() {
        let text = "a\nb\nc\nd\ne\nf\nb\n";
        check("b", 0, text, "f:2: b\nf:7: b\n");
        check("b", 1, text, "f-1- a\nf:2: b\nf-3- c\n--\nf-6- f\nf:7: b\n");
        check("[bc]", 1, "a\nb\nc\nd\n", "f-1- a\nf:2: b\nf:3: c\nf-4- d\n");
        check("nothing", 1, text, "");
        check("ä+", 0, "xää", "f:1: xää\n");
    }

    #[test]
    fn a_result_has_an_end() {
        let mut many = search("x", 0);
        assert!(many.lines("f", &"x\n".repeat(HITS + 1)).is_break());
        assert_eq!(many.hits, HITS);
        let mut long = search("x", 0);
        assert!(long.lines("f", &"x".repeat(1_000)).is_continue());
        assert!(long.text.chars().count() < 320, "{}", long.text);
    }
}
