//! The secrets of a session and the placeholders that stand for them.

use std::collections::{BTreeMap, HashMap};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::find::Finder;

/// Secrets that can be put back: a repository's worst file has a few dozen. Further ones are
/// redacted for good, under a placeholder without a number.
pub const SECRETS_MAX: usize = 1_000;

/// What every placeholder begins with.
pub const OPENING: &str = "[redacted:";

/// See the module. Never printed.
#[derive(Default)]
pub struct Vault {
    placeholders: HashMap<String, String>,
    secrets: HashMap<String, String>,
    /// Secrets of each kind so far.
    counts: BTreeMap<&'static str, usize>,
    /// Found since the last `take_news`.
    news: BTreeMap<&'static str, usize>,
    /// All secrets, to find them where no rule would: alone, without the name beside them.
    known: Option<AhoCorasick>,
    /// For each pattern of `known`.
    replacements: Vec<String>,
}

impl Vault {
    /// The text without its secrets, `None` when it has none.
    pub fn redact(&mut self, text: &str, finder: &Finder) -> Option<String> {
        let found = finder.find(text);
        let before = self.secrets.len();
        for secret in &found {
            self.learn(&text[secret.range.clone()], secret.kind);
        }
        if self.secrets.len() != before {
            self.index();
        }
        let mut redacted = String::with_capacity(text.len());
        let mut from = 0;
        for secret in &found {
            let original = &text[secret.range.clone()];
            self.known_in(&text[from..secret.range.start], &mut redacted);
            match self.placeholders.get(original) {
                Some(placeholder) => redacted.push_str(placeholder),
                None => redacted.push_str(&format!("{OPENING}{}]", secret.kind)),
            }
            from = secret.range.end;
        }
        self.known_in(&text[from..], &mut redacted);
        (redacted != text).then_some(redacted)
    }

    /// What a placeholder stands for.
    pub fn secret(&self, placeholder: &str) -> Option<&str> {
        self.secrets.get(placeholder).map(String::as_str)
    }

    /// Whether a placeholder could begin like this.
    pub fn may_begin(&self, start: &str) -> bool {
        // Cheap first: almost every bracket of an answer ends here.
        (OPENING.starts_with(start) || start.starts_with(OPENING))
            && self.secrets.keys().any(|placeholder| placeholder.starts_with(start))
    }

    /// A line for the log on what is new: kinds and counts, nothing else.
    pub fn take_news(&mut self) -> Option<String> {
        let news = std::mem::take(&mut self.news);
        if news.is_empty() {
            return None;
        }
        let kinds: Vec<_> = news.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        Some(format!("kept from the model: {} ({} in all)", kinds.join(", "), self.secrets.len()))
    }

    fn learn(&mut self, secret: &str, kind: &'static str) {
        if self.placeholders.contains_key(secret) {
            return;
        }
        *self.news.entry(kind).or_default() += 1;
        if self.secrets.len() >= SECRETS_MAX {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let placeholder = format!("{OPENING}{kind}:{count}]");
        self.placeholders.insert(secret.to_owned(), placeholder.clone());
        self.secrets.insert(placeholder, secret.to_owned());
    }

    fn index(&mut self) {
        let pairs: Vec<_> = self.placeholders.iter().collect();
        self.replacements = pairs.iter().map(|(_, placeholder)| (*placeholder).clone()).collect();
        // It fails on sizes that `SECRETS_MAX` and the host's limits rule out; the rules still hold.
        self.known = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(pairs.iter().map(|(secret, _)| secret))
            .ok();
    }

    fn known_in(&self, text: &str, redacted: &mut String) {
        match &self.known {
            Some(known) => known.replace_all_with(text, redacted, |secret, _, redacted| {
                redacted.push_str(&self.replacements[secret.pattern().as_usize()]);
                true
            }),
            None => redacted.push_str(text),
        }
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
