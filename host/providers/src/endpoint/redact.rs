//! Makes a text from outside safe to show: one short line, no key, nothing a terminal obeys.

use crate::Secret;

/// Longest text taken from a server, in characters: a sentence or two that say what is wrong.
const TEXT_MAX_CHARS: usize = 300;
/// A run of letters and digits of this length that mixes both is a key or a hash: names of models
/// and parameters break at `-`, `_`, `.` and `/` long before.
const KEY_RUN_CHARS: usize = 20;
/// So many leading characters in common with a key give a masked copy of it away.
const KEY_PREFIX_CHARS: usize = 6;

const REMOVED: &str = "[removed]";

/// The text on one line, shortened, each word that holds or resembles a key replaced.
pub(crate) fn shown(text: &str, keys: &[Secret]) -> String {
    let mut line = String::new();
    let mut length = 0;
    // Work is bounded before anything else: words beyond the limit are never looked at.
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let word = if is_key(word, keys) { REMOVED } else { word };
        if !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        for character in word.chars() {
            if length >= TEXT_MAX_CHARS {
                line.push('…');
                return line;
            }
            line.push(character);
            length += 1;
        }
    }
    line
}

fn is_key(word: &str, keys: &[Secret]) -> bool {
    let mut runs = word.split(|c: char| !c.is_ascii_alphanumeric());
    let given_away = |key: &Secret| match key.expose().get(..KEY_PREFIX_CHARS) {
        Some(prefix) => word.contains(prefix),
        // So short a key is a placeholder for a server that wants none: found as a word only.
        None => runs.clone().any(|run| run == key.expose()),
    };
    keys.iter().any(given_away)
        || word.contains("***")
        || word.match_indices("sk-").any(|(at, _)| !word[..at].ends_with(char::is_alphanumeric))
        || runs.any(is_run)
}

fn is_run(run: &str) -> bool {
    run.len() >= KEY_RUN_CHARS
        && run.bytes().any(|b| b.is_ascii_digit())
        && run.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_removed_and_words_stay() {
        let keys = [Secret::new("topsecret-0123456789").unwrap(), Secret::new("abc").unwrap()];
        for (text, expected) in [
            (
                "Rate limit reached for gpt-5-mini in organization org-x",
                "Rate limit reached for gpt-5-mini in organization org-x",
            ),
            (
                "no `meta-llama/Llama-3.3-70B-Instruct-Turbo` for task-1",
                "no `meta-llama/Llama-3.3-70B-Instruct-Turbo` for task-1",
            ),
            ("bad key topsecret-0123456789.", "bad key [removed]"),
            ("bad key topsec******6789.", "bad key [removed]"),
            ("bad key topsec", "bad key [removed]"),
            ("bad key tops****", "bad key [removed]"),
            ("key (abc) refused, abcd not", "key [removed] refused, abcd not"),
            ("Incorrect API key provided: sk-proj-ab.", "Incorrect API key provided: [removed]"),
            ("Bearer AIzaSyA1234567890abcdefghijk", "Bearer [removed]"),
            ("a\n\x1b[31mred\u{9b}31m\tb", "a [31mred 31m b"),
            ("", ""),
        ] {
            assert_eq!(shown(text, &keys), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_shortened() {
        for text in ["ä".repeat(100_000), "word ".repeat(100_000)] {
            let line = shown(&text, &[]);
            assert_eq!(line.chars().count(), TEXT_MAX_CHARS + 1);
            assert!(line.ends_with('…'));
        }
    }
}
