//! Patterns. Of a path they are globs; of everything else only `*` is special, and matches anything.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern: longer than any path or command that a person would write into a rule, and each one
/// is compiled into an automaton.
pub const PATTERN_MAX_BYTES: usize = 1_024;

/// What the glob library takes for special in addition to `*`.
const SPECIAL: [char; 7] = ['?', '[', ']', '{', '}', '!', '\\'];

/// A compiled pattern. Matching takes time linear in the text, whatever the pattern.
#[derive(Clone)]
pub(crate) struct Glob {
    exact: Vec<GlobMatcher>,
    /// The same without regard to the case of letters.
    folded: Vec<GlobMatcher>,
    /// How specific it is: characters that stand for themselves.
    literals: usize,
    leading_star: bool,
}

impl Glob {
    /// A pattern in which `*` matches anything, also nothing.
    pub fn text(pattern: &str) -> Result<Self, globset::Error> {
        let mut escaped = String::with_capacity(pattern.len());
        for c in pattern.chars() {
            // Two stars are one; between slashes the library would read them as something else.
            if c == '*' && escaped.ends_with('*') {
                continue;
            }
            if SPECIAL.contains(&c) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        let literals = pattern.chars().filter(|c| *c != '*').count();
        Self::new(&[escaped], false, literals, pattern.starts_with('*'))
    }

    /// A path's pattern: `*` and `?` do not match a `/`, `**` does. A directory's contents
    /// (`x/**`, or `x/`) include the directory itself.
    pub fn path(pattern: &str) -> Result<Self, globset::Error> {
        let inside = pattern.strip_suffix("/**").or_else(|| pattern.strip_suffix('/'));
        let patterns = match inside {
            Some(directory) if !directory.is_empty() => {
                vec![directory.to_owned(), format!("{directory}/**")]
            }
            _ => vec![pattern.to_owned()],
        };
        let wild = ['*', '?', '[', ']', '{', '}'];
        let literals = pattern.chars().filter(|c| !wild.contains(c)).count();
        Self::new(&patterns, true, literals, pattern.starts_with('*'))
    }

    fn new(
        patterns: &[String],
        separated: bool,
        literals: usize,
        leading_star: bool,
    ) -> Result<Self, globset::Error> {
        let compile = |fold| {
            let build = |pattern: &String| {
                let mut builder = GlobBuilder::new(pattern);
                builder.literal_separator(separated).case_insensitive(fold).backslash_escape(true);
                Ok(builder.build()?.compile_matcher())
            };
            patterns.iter().map(build).collect::<Result<Vec<_>, globset::Error>>()
        };
        Ok(Self { exact: compile(false)?, folded: compile(true)?, literals, leading_star })
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.exact.iter().any(|matcher| matcher.is_match(text))
    }

    /// Without regard to the case of letters.
    pub fn is_match_folded(&self, text: &str) -> bool {
        self.folded.iter().any(|matcher| matcher.is_match(text))
    }

    pub fn literals(&self) -> usize {
        self.literals
    }

    /// Whether a match of a text's end is a match of all of it.
    pub fn begins_anywhere(&self) -> bool {
        self.leading_star
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_texts_a_star_is_anything_and_all_else_is_itself() {
        for (pattern, text, matches) in [
            ("git status*", "git status", true),
            ("git status*", "git status --short\nx", true),
            ("git status*", "git stash", false),
            ("*", "", true),
            ("*sudo *", "x && sudo rm /", true),
            ("a?", "ab", false),
            ("a?", "a?", true),
            ("echo {a,b} [c] \\d !", "echo {a,b} [c] \\d !", true),
            ("echo {a,b}", "echo a", false),
            ("x/**/y", "x/y", false),
            ("x/**/y", "x/a b/c/y", true),
            ("files.*", "files.read", true),
            ("files.*", "Files.read", false),
        ] {
            assert_eq!(Glob::text(pattern).unwrap().is_match(text), matches, "{pattern} ~ {text}");
        }
    }

    #[test]
    fn in_paths_a_star_ends_at_a_slash() {
        for (pattern, path, matches) in [
            ("**/.env", ".env", true),
            ("**/.env", "a/b/.env", true),
            ("**/.env", "a/.env.example", false),
            ("*.rs", "main.rs", true),
            ("*.rs", "src/main.rs", false),
            (".git/**", ".git", true),
            (".git/**", ".git/hooks/pre-commit", true),
            (".git/**", ".gitignore", false),
            ("secrets/", "secrets", true),
            ("secrets/", "secrets/a/b", true),
            ("{a,b}/?", "b/c", true),
            ("/state/**", "/state/x", true),
            ("**", "a/b", true),
        ] {
            assert_eq!(Glob::path(pattern).unwrap().is_match(path), matches, "{pattern} ~ {path}");
        }
        let env = Glob::path("**/.env").unwrap();
        assert!(!env.is_match("a/.ENV") && env.is_match_folded("a/.ENV"));
        assert!(Glob::path("a[").is_err());
    }
}
