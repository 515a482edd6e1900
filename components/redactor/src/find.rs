//! Finding secrets in a text.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex_lite::Regex;

use crate::rules::{Begins, Doubt, RULES, Rule};

/// Bits per character. Generated keys of 20 characters and more have 3.7 and more; kebab-case names
/// of that length stay below 3.5.
const KEY_MIN_ENTROPY: f64 = 3.5;
/// `aaaaaaaa1` and `12121212` are examples, not passwords.
const PASSWORD_MIN_ENTROPY: f64 = 2.5;

/// The compiled rules.
pub struct Finder {
    anchors: AhoCorasick,
    /// For each anchor its rule.
    rules: Vec<(&'static Rule, usize)>,
    patterns: Vec<Regex>,
}

/// A secret in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub kind: &'static str,
    pub range: Range<usize>,
}

impl Finder {
    /// # Errors
    /// A rule that does not compile; the tests see to it that there is none.
    pub fn new() -> Result<Self, String> {
        let patterns = RULES.iter().map(|rule| Regex::new(&format!("^(?:{})", rule.pattern)));
        let patterns = patterns.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let rules: Vec<_> = RULES
            .iter()
            .enumerate()
            .flat_map(|(at, rule)| rule.anchors.iter().map(move |_| (rule, at)))
            .collect();
        let anchors = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .build(RULES.iter().flat_map(|rule| rule.anchors))
            .map_err(|error| error.to_string())?;
        Ok(Self { anchors, rules, patterns })
    }

    /// Secrets in the order of the text; they do not overlap.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let mut hits: Vec<(usize, Range<usize>)> = Vec::new();
        for anchor in self.anchors.find_overlapping_iter(text) {
            let (rule, at) = self.rules[anchor.pattern().as_usize()];
            if rule.begins == Begins::Word && !begins_word(text, anchor.start()) {
                continue;
            }
            let rest = &text[anchor.start()..];
            let Some(groups) = self.patterns[at].captures(rest) else { continue };
            let Some(secret) = groups.get(1).or_else(|| groups.get(0)) else { continue };
            let kept = trimmed(secret.as_str(), rule.doubt);
            if is_secret(kept, rule.doubt) {
                let start = anchor.start() + secret.start();
                hits.push((at, start..start + kept.len()));
            }
        }
        // The secret that begins first; of several at one place the one of the first rule.
        hits.sort_by_key(|(at, range)| (range.start, *at));
        let mut found: Vec<Found> = Vec::new();
        for (at, range) in hits {
            match found.last_mut() {
                Some(last) if range.start < last.range.end => {
                    last.range.end = last.range.end.max(range.end);
                }
                _ => found.push(Found { kind: RULES[at].kind, range }),
            }
        }
        found
    }
}

fn begins_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A sentence's full stop is no part of a password.
fn trimmed(secret: &str, doubt: Doubt) -> &str {
    match secret.strip_suffix('.') {
        Some(kept) if doubt == Doubt::Password && is_secret(kept, doubt) => kept,
        _ => secret,
    }
}

fn is_secret(text: &str, doubt: Doubt) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match doubt {
        Doubt::None => true,
        Doubt::Key => digits > 0 && entropy(text) >= KEY_MIN_ENTROPY,
        Doubt::Password => {
            let mixed = text.bytes().any(|b| b.is_ascii_uppercase())
                && text.bytes().any(|b| b.is_ascii_lowercase());
            let signs = text.bytes().filter(|b| b"!@#%^&*+=~|?/".contains(b)).count();
            let dense = digits >= 2 || (digits >= 1 && (mixed || signs > 0));
            let number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            dense && !number && !is_reference(text) && entropy(text) >= PASSWORD_MIN_ENTROPY
        }
    }
}

/// Code and configuration name secrets more often than they hold them.
fn is_reference(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let starts =
        ["env:", "file:", "[redacted:", "process.env", "os.environ", "http://", "https://"];
    starts.iter().any(|start| lower.starts_with(start))
}

/// Shannon's, in bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let len = text.len() as f64;
    let bits = |count: u32| {
        let share = f64::from(count) / len;
        -share * share.log2()
    };
    counts.into_iter().filter(|count| *count > 0).map(bits).sum()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
