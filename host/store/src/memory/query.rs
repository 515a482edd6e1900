//! From what a user or a model types to an FTS5 expression that cannot be anything but words.

use std::collections::BTreeSet;

use crate::invalid::{Invalid, Limit};

/// Distinct words in one query. A question has a dozen, a pasted paragraph a hundred; each one is
/// a look-up in the index.
const WORDS_MAX: usize = 256;
/// From this length a word also matches as a prefix: shorter ones would match half of all notes.
const PREFIX_MIN_CHARS: usize = 3;

/// The words OR-ed; `None` when there are none. A longer word stands as itself and as a prefix, so
/// that an exact match scores above a longer word.
pub(super) fn expression(query: &str) -> Result<Option<String>, Invalid> {
    let words: BTreeSet<String> = query
        .split(|c: char| !in_word(c))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(str::to_lowercase)
        .collect();
    if words.len() > WORDS_MAX {
        return Err(Invalid { argument: "query", limit: Limit::Items { max: WORDS_MAX } });
    }
    let terms: Vec<String> = words
        .iter()
        .map(|word| {
            // Only letters, digits and accents are left: nothing can end the quotes.
            if word.chars().count() < PREFIX_MIN_CHARS {
                format!("\"{word}\"")
            } else {
                format!("\"{word}\" OR \"{word}\"*")
            }
        })
        .collect();
    Ok((!terms.is_empty()).then(|| terms.join(" OR ")))
}

/// What the index's tokenizer keeps together: letters and digits, and the accents that follow a
/// letter in decomposed text.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_only() {
        for (query, expected) in [
            ("", None),
            (" - \" * ( ) ^ : ", None),
            ("ab", Some("\"ab\"")),
            ("Rust rust RUST", Some("\"rust\" OR \"rust\"*")),
            ("a\" OR text:b*", Some("\"a\" OR \"b\" OR \"or\" OR \"text\" OR \"text\"*")),
            ("NEAR(x y)", Some("\"near\" OR \"near\"* OR \"x\" OR \"y\"")),
            ("foo-bar", Some("\"bar\" OR \"bar\"* OR \"foo\" OR \"foo\"*")),
            ("cafe\u{301}", Some("\"cafe\u{301}\" OR \"cafe\u{301}\"*")),
        ] {
            assert_eq!(expression(query).unwrap().as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn too_many_words_are_refused() {
        let many: Vec<String> = (0..=WORDS_MAX).map(|n| format!("w{n}")).collect();
        assert!(expression(&many.join(" ")).is_err());
        assert!(expression(&many[1..].join(" ")).is_ok());
    }
}
