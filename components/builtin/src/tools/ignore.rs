//! `.gitignore`: which files a search leaves out.
//!
//! The rules are git's (`gitignore(5)`), but for ranges and escapes in patterns, which are matched
//! as `fast-glob` does, and for files outside of the workspace, which git reads, too.

use fast_glob::glob_match;

/// The largest file of rules that is read; more is ignored.
pub const FILE_MAX_BYTES: usize = 64 << 10;

/// The rules of a directory and of those above it; a later one goes before an earlier one.
#[derive(Default)]
pub struct Rules(Vec<Rule>);

struct Rule {
    /// Relative to the root of the search.
    pattern: String,
    negated: bool,
    directories: bool,
}

impl Rules {
    /// How many rules there are: for going back up with `forget`.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn forget(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Adds the rules of a `.gitignore` in the directory `base` (empty for the root).
    pub fn add(&mut self, base: &str, text: &str) {
        for line in text.lines() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (negated, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            let (directories, line) = match line.strip_suffix('/') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            // A slash before the end ties a pattern to its directory.
            let anywhere = if line.contains('/') { "" } else { "**/" };
            let line = line.trim_start_matches('/');
            let base = if base.is_empty() { String::new() } else { format!("{}/", literal(base)) };
            let pattern = format!("{base}{anywhere}{line}");
            self.0.push(Rule { pattern, negated, directories });
        }
    }

    /// Whether `path`, relative to the root of the search, is left out.
    pub fn ignore(&self, path: &str, directory: bool) -> bool {
        let rule = self
            .0
            .iter()
            .rev()
            .find(|rule| (directory || !rule.directories) && glob_match(&rule.pattern, path));
        rule.is_some_and(|rule| !rule.negated)
    }
}

/// A directory's name in a pattern stands for itself.
fn literal(name: &str) -> String {
    let mut literal = String::with_capacity(name.len());
    for c in name.chars() {
        if "*?[]{}!\\".contains(c) {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &[(&str, &str)], path: &str, directory: bool, expected: bool) {
        let mut all = Rules::default();
        rules.iter().for_each(|(base, text)| all.add(base, text));
        assert_eq!(all.ignore(path, directory), expected, "{path} with {rules:?}");
    }

    #[test]
    fn what_git_ignores_is_left_out() {
        check(&[("", "target\n")], "target", true, true);
        check(&[("", "target\n")], "a/target", false, true);
        check(&[("", "target/\n")], "a/target", false, false);
        check(&[("", "target/\n")], "a/target", true, true);
        check(&[("", "/target\n")], "a/target", true, false);
        check(&[("", "a/target\n")], "a/target", true, true);
        check(&[("", "a/target\n")], "b/a/target", true, false);
        check(&[("", "*.log\n!keep.log\n")], "x/a.log", false, true);
        check(&[("", "*.log\n!keep.log\n")], "x/keep.log", false, false);
        check(&[("", "# *.rs\n\n")], "a.rs", false, false);
        check(&[("sub", "*.o\n")], "sub/a.o", false, true);
        check(&[("sub", "*.o\n")], "a.o", false, false);
        check(&[("sub", "/x\n")], "sub/x", false, true);
        check(&[("s[u]b", "*.o\n")], "s[u]b/a.o", false, true);
        check(&[("", "*.o\n"), ("sub", "!a.o\n")], "sub/a.o", false, false);
        check(&[("", "**/gen/*.rs\n")], "a/b/gen/x.rs", false, true);
    }
}
