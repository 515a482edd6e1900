//! Who must vouch for what, by namespace, and whether somebody does.
//!
//! The rules come from the user's configuration and from nowhere else: nothing that a component, a
//! registry or a signature says reaches them. One rule decides, the most specific one that covers the
//! repository; where none does, a signature is required and no key is known, so that nothing passes.

use domain::namespace::{OFFICIAL, Pattern, Proof};

use crate::payload::Subject;
use crate::public::{KeyId, PublicKey};
use crate::verify::{Signature, Unproven, verify};

/// The keys that official harnesses are signed with, as PEM. There is none yet: until the project has
/// one that is kept as such a key must be, official harnesses need a key in the configuration.
pub const OFFICIAL_KEYS: &[&str] = &[];

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub pattern: Pattern,
    pub proof: Proof,
    pub keys: Vec<PublicKey>,
}

/// All rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The most specific first.
    rules: Vec<Rule>,
}

/// What holds for one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub proof: Proof,
    pub keys: Vec<PublicKey>,
    /// The rule that decides; `None`: none covers it.
    pub pattern: Option<Pattern>,
    /// It is in the official namespace.
    pub official: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This key vouches for it.
    Proven(KeyId),
    /// Nobody does, and the user is to hear of it.
    Warned(Untrusted),
    /// Nobody was asked.
    NotAsked,
}

/// Nobody vouches for an artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("{repository}@{digest} cannot be trusted: no key is known for {repository}")]
    NoKey { repository: String, digest: String, official: bool },
    #[error("{repository}@{digest} cannot be trusted: {reason}")]
    Unproven {
        repository: String,
        digest: String,
        pattern: String,
        official: bool,
        reason: Box<Unproven>,
    },
}

impl Policy {
    pub fn new(mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.pattern.specificity()));
        Self { rules }
    }

    /// What holds for a repository, like `ghcr.io/acme/tool`.
    pub fn over(&self, repository: &str) -> Ruling {
        let official = is_official(repository);
        let covers = |rule: &&Rule| {
            // A rule for all of a registry must not speak for what is official.
            rule.pattern.covers(repository) && (!official || rule.pattern.is_within(OFFICIAL))
        };
        let rule = self.rules.iter().find(covers);
        let mut keys = rule.map(|rule| rule.keys.clone()).unwrap_or_default();
        if official {
            // A test reads them all: none is left out here.
            keys.extend(OFFICIAL_KEYS.iter().filter_map(|pem| PublicKey::from_pem(pem).ok()));
        }
        Ruling {
            proof: match rule {
                Some(rule) if !official => rule.proof,
                _ => Proof::Require,
            },
            keys,
            pattern: rule.map(|rule| rule.pattern.clone()),
            official,
        }
    }

    /// Whether the subject may be used, with these signatures.
    pub fn judge(&self, subject: &Subject, signatures: &[Signature]) -> Result<Verdict, Untrusted> {
        let Ruling { proof, keys, pattern, official } = self.over(&subject.repository);
        if proof == Proof::Off {
            return Ok(Verdict::NotAsked);
        }
        let Subject { repository, digest } = subject.clone();
        let untrusted = match verify(subject, signatures, &keys) {
            _ if keys.is_empty() => Untrusted::NoKey { repository, digest, official },
            Ok(key) => return Ok(Verdict::Proven(key.id())),
            Err(reason) => {
                let pattern = pattern.map_or_else(|| OFFICIAL.to_owned(), |p| p.to_string());
                let reason = Box::new(reason);
                Untrusted::Unproven { repository, digest, pattern, official, reason }
            }
        };
        match proof {
            Proof::Warn => Ok(Verdict::Warned(untrusted)),
            _ => Err(untrusted),
        }
    }
}

impl Untrusted {
    /// What helps, with the lines of the configuration.
    pub fn hint(&self) -> String {
        match self {
            Self::NoKey { official: true, .. } => format!(
                "no key for official harnesses is built into this version; if you have one from a \
                 source that you trust, put it into xpressclaw.yaml:\n{}",
                lines(OFFICIAL, "keys: [official.pub]")
            ),
            Self::NoKey { repository, .. } => {
                let namespace = namespace_of(repository);
                format!(
                    "if you trust who publishes there, put their public key into xpressclaw.yaml:\n\
                     {}\nwithout signatures, everybody who can write to {namespace}, or to its \
                     server, decides what runs here; if that is well:\n{}",
                    lines(namespace, "keys: [publisher.pub]"),
                    lines(namespace, "signatures: off"),
                )
            }
            Self::Unproven { repository, digest, pattern, official, reason } => {
                let what = match **reason {
                    Unproven::Unsigned => format!(
                        "its publisher signs it with `xpressclaw harness sign {repository}@{digest} --key FILE`; \
                         what was signed after it came here is seen after `xpressclaw harness pull {repository}@{digest}`"
                    ),
                    Unproven::ByOthers { .. } => {
                        "if its publisher has a new key, get it from them, not from the registry, and add it"
                            .to_owned()
                    }
                    Unproven::ForOther { .. } => {
                        "somebody put another artifact's signature there: ask its publisher before you use it"
                            .to_owned()
                    }
                };
                let rule = if *official || matches!(**reason, Unproven::ForOther { .. }) {
                    String::new()
                } else {
                    format!("; the rule that asks is `trust.{pattern:?}` in xpressclaw.yaml")
                };
                format!("{what}{rule}")
            }
        }
    }
}

/// Whether what is in the repository is official.
pub fn is_official(repository: &str) -> bool {
    // The pattern is a constant; a test parses it.
    Pattern::parse(OFFICIAL).is_ok_and(|official| official.covers(repository))
}

/// The path that the repository is in; the repository itself where that would be a whole registry.
fn namespace_of(repository: &str) -> &str {
    match repository.rsplit_once('/') {
        Some((namespace, _)) if namespace.contains('/') => namespace,
        _ => repository,
    }
}

fn lines(namespace: &str, rule: &str) -> String {
    format!("  trust:\n    {namespace}:\n      {rule}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private::SigningKey;

    fn key() -> SigningKey {
        SigningKey::generate("").unwrap().0
    }

    fn rule(pattern: &str, proof: Proof, keys: &[&SigningKey]) -> Rule {
        Rule {
            pattern: Pattern::parse(pattern).unwrap(),
            proof,
            keys: keys.iter().map(|key| key.public().clone()).collect(),
        }
    }

    fn subject(repository: &str) -> Subject {
        let digest = format!("sha256:{}", "1".repeat(64));
        Subject { repository: repository.to_owned(), digest }
    }

    #[test]
    fn the_official_keys_and_namespace_can_be_read() {
        assert!(Pattern::parse(OFFICIAL).is_ok());
        for pem in OFFICIAL_KEYS {
            PublicKey::from_pem(pem).unwrap();
        }
    }

    #[test]
    fn the_most_specific_rule_decides_alone() {
        let (acme, tool, all) = (key(), key(), key());
        let policy = Policy::new(vec![
            rule("*", Proof::Warn, &[&all]),
            rule("ghcr.io/acme", Proof::Require, &[&acme]),
            rule("ghcr.io/acme/tool", Proof::Require, &[&tool]),
            rule("ghcr.io/acme/open", Proof::Off, &[]),
        ]);
        for (repository, signer, expected) in [
            ("ghcr.io/acme/x", &acme, "proven"),
            // The key of a namespace is not one of another, wider or narrower.
            ("ghcr.io/acme/x", &all, "refused"),
            ("ghcr.io/acme/x", &tool, "refused"),
            ("ghcr.io/acme/tool", &tool, "proven"),
            ("ghcr.io/acme/tool", &acme, "refused"),
            ("ghcr.io/acme/open/deep", &acme, "not asked"),
            ("ghcr.io/acmes/x", &acme, "warned"),
            ("quay.io/any/x", &all, "proven"),
        ] {
            let subject = subject(repository);
            let signed = Signature::make(&subject, signer).unwrap();
            let found = match policy.judge(&subject, &[signed]) {
                Ok(Verdict::Proven(by)) => {
                    assert_eq!(by, signer.public().id());
                    "proven"
                }
                Ok(Verdict::Warned(_)) => "warned",
                Ok(Verdict::NotAsked) => "not asked",
                Err(_) => "refused",
            };
            assert_eq!(found, expected, "{repository}");
        }
    }

    #[test]
    fn without_a_rule_nothing_passes_and_the_lines_that_help_are_named() {
        let subject = subject("ghcr.io/acme/tool");
        let signed = Signature::make(&subject, &key()).unwrap();
        let error = Policy::default().judge(&subject, &[signed]).unwrap_err();
        assert!(error.to_string().contains("no key is known for ghcr.io/acme/tool"), "{error}");
        let hint = error.hint();
        assert!(hint.contains("trust:\n    ghcr.io/acme:\n      keys: [publisher.pub]"), "{hint}");
        assert!(hint.contains("trust:\n    ghcr.io/acme:\n      signatures: off"), "{hint}");
    }

    #[test]
    fn what_is_official_is_always_asked_for_its_own_keys() {
        let (own, all) = (key(), key());
        let subject = subject("ghcr.io/xpressai/harnesses/pi");
        let sign = |key| [Signature::make(&subject, key).unwrap()];
        // No rule for everything opens it, neither by its weakness nor by its key.
        for rules in [
            vec![],
            vec![rule("*", Proof::Off, &[])],
            vec![rule("ghcr.io", Proof::Warn, &[&all])],
            vec![rule("ghcr.io/xpressai", Proof::Require, &[&all])],
            vec![rule("ghcr.io/*/harnesses", Proof::Require, &[&all])],
            vec![rule("ghcr.io/xpressai/harnesses", Proof::Off, &[])],
        ] {
            let error = Policy::new(rules).judge(&subject, &sign(&all)).unwrap_err();
            assert!(matches!(error, Untrusted::NoKey { official: true, .. }), "{error:?}");
            let hint = error.hint();
            assert!(
                hint.contains("ghcr.io/xpressai/harnesses:\n      keys: [official.pub]"),
                "{hint}"
            );
            assert!(!hint.contains("signatures:"), "{hint}");
        }
        let policy = Policy::new(vec![
            rule("*", Proof::Off, &[&all]),
            rule("ghcr.io/xpressai/harnesses", Proof::Warn, &[&own]),
        ]);
        assert!(matches!(policy.judge(&subject, &sign(&own)), Ok(Verdict::Proven(_))));
        assert!(policy.judge(&subject, &sign(&all)).is_err());
        assert!(policy.judge(&subject, &[]).is_err());
    }

    #[test]
    fn each_reason_has_a_hint_of_its_own() {
        let (acme, other) = (key(), key());
        let policy = Policy::new(vec![rule("ghcr.io/acme", Proof::Require, &[&acme])]);
        let (own, else_) = (subject("ghcr.io/acme/tool"), subject("ghcr.io/acme/else"));
        for (signatures, expected) in [
            (vec![], "harness sign ghcr.io/acme/tool@sha256:1111"),
            (vec![Signature::make(&own, &other).unwrap()], "a new key"),
            (vec![Signature::make(&else_, &acme).unwrap()], "another artifact's signature"),
        ] {
            let error = policy.judge(&own, &signatures).unwrap_err();
            assert!(error.hint().contains(expected), "{}", error.hint());
        }
    }
}
